package metrics

import (
	"net"
	"net/http"
	"net/netip"
	"strings"
)

// headers are on every answer: nothing of it is kept, framed, guessed at or
// told to others, and no script runs but the page's own file.
var headers = map[string]string{
	"Cache-Control": "no-store",
	"Content-Security-Policy": "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; " +
		"base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
	"Cross-Origin-Resource-Policy": "same-origin",
	"Referrer-Policy":              "no-referrer",
	"X-Content-Type-Options":       "nosniff",
}

// guard sets the headers, and refuses requests to this machine that name it by
// a name which somebody else may have pointed at it.
func (s *site) guard(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		for key, value := range headers {
			w.Header().Set(key, value)
		}
		if onLoopback(r) && !localName(r.Host) {
			http.Error(w, "this address goes by localhost or by its number only", http.StatusMisdirectedRequest)
			return
		}
		next.ServeHTTP(w, r)
	})
}

// may reports whether the request is allowed to do that.
func (s *site) may(r *http.Request, a Access) bool {
	if s.Authorise != nil {
		return s.Authorise(r, a)
	}
	return a.Action == Read && fromLoopback(r)
}

// fromLoopback reports whether the request comes from this machine, and not
// through a proxy on it.
func fromLoopback(r *http.Request) bool {
	for _, header := range []string{"Forwarded", "X-Forwarded-For", "X-Forwarded-Host", "X-Real-Ip", "Via"} {
		if r.Header.Get(header) != "" {
			return false
		}
	}
	return loopback(r.RemoteAddr)
}

// onLoopback reports whether the request came in at a loopback address.
func onLoopback(r *http.Request) bool {
	if at, ok := r.Context().Value(http.LocalAddrContextKey).(net.Addr); ok {
		return loopback(at.String())
	}
	return loopback(r.RemoteAddr)
}

// loopback reports whether an address with a port is a loopback address.
func loopback(address string) bool {
	at, err := netip.ParseAddrPort(address)
	return err == nil && at.Addr().Unmap().IsLoopback()
}

// localName reports whether a Host header is localhost or an address, with a
// port or without.
func localName(host string) bool {
	if name, _, err := net.SplitHostPort(host); err == nil {
		host = name
	}
	host = strings.TrimSuffix(strings.TrimPrefix(host, "["), "]")
	if strings.EqualFold(host, "localhost") {
		return true
	}
	_, err := netip.ParseAddr(host)
	return err == nil
}
