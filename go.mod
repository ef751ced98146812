module github.com/coppice-go/coppice

go 1.25.0

require (
	github.com/DeRuina/timberjack v1.4.9
	github.com/mattn/go-shellwords v1.0.16
	github.com/prometheus/client_golang v1.24.0
	github.com/prometheus/procfs v0.22.0
	github.com/thejerf/suture/v4 v4.0.6
	golang.org/x/sys v0.47.0
)

require (
	github.com/beorn7/perks v1.0.1 // indirect
	github.com/cespare/xxhash/v2 v2.3.0 // indirect
	github.com/klauspost/compress v1.19.0 // indirect
	github.com/kylelemons/godebug v1.1.0 // indirect
	github.com/munnerz/goautoneg v0.0.0-20191010083416-a7dc8b61c822 // indirect
	github.com/prometheus/client_model v0.6.2 // indirect
	github.com/prometheus/common v0.70.0 // indirect
	google.golang.org/protobuf v1.36.11 // indirect
)
