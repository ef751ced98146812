module github.com/coppice-go/coppice/child/probe/grpcprobe

go 1.25.0

require (
	github.com/coppice-go/coppice v0.0.0
	google.golang.org/grpc v1.84.0
)

require (
	github.com/DeRuina/timberjack v1.4.9 // indirect
	github.com/klauspost/compress v1.19.0 // indirect
	github.com/mattn/go-shellwords v1.0.16 // indirect
	github.com/prometheus/procfs v0.22.0 // indirect
	github.com/thejerf/suture/v4 v4.0.6 // indirect
	golang.org/x/net v0.57.0 // indirect
	golang.org/x/sys v0.47.0 // indirect
	golang.org/x/text v0.40.0 // indirect
	google.golang.org/genproto/googleapis/rpc v0.0.0-20260706201446-f0a921348800 // indirect
	google.golang.org/protobuf v1.36.11 // indirect
)

replace github.com/coppice-go/coppice => ../../..
