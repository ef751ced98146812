module github.com/coppice-go/coppice

go 1.25.0

require (
	github.com/DeRuina/timberjack v1.4.9
	github.com/mattn/go-shellwords v1.0.16
	github.com/prometheus/procfs v0.22.0
	github.com/thejerf/suture/v4 v4.0.6
	golang.org/x/sys v0.47.0
)

require github.com/klauspost/compress v1.18.7 // indirect
