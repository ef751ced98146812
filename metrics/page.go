package metrics

import (
	"embed"
	"net/http"
)

// static is the page: plain files that ask nobody else for anything.
//
//go:embed static
var static embed.FS

// servePage serves the page. Its addresses are relative, so it works under any
// prefix.
func (s *site) servePage(w http.ResponseWriter, r *http.Request) {
	http.ServeFileFS(w, r, static, "static/page.html")
}

// serveStatic serves what belongs to the page.
func (s *site) serveStatic(w http.ResponseWriter, r *http.Request) {
	http.ServeFileFS(w, r, static, "static/"+r.PathValue("file"))
}
