module github.com/coppice-go/coppice/examples/procfile

go 1.25.0

require (
	github.com/coppice-go/coppice v0.0.0
	github.com/goccy/go-yaml v1.19.2
	github.com/joho/godotenv v1.5.1
	github.com/mattn/go-isatty v0.0.24
	github.com/spf13/cobra v1.10.2
	golang.org/x/sys v0.47.0
)

require (
	github.com/DeRuina/timberjack v1.4.9 // indirect
	github.com/inconshreveable/mousetrap v1.1.0 // indirect
	github.com/klauspost/compress v1.19.0 // indirect
	github.com/mattn/go-shellwords v1.0.16 // indirect
	github.com/prometheus/procfs v0.22.0 // indirect
	github.com/spf13/pflag v1.0.9 // indirect
	github.com/thejerf/suture/v4 v4.0.6 // indirect
)

replace github.com/coppice-go/coppice => ../..
