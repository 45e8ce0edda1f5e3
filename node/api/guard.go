package api

import (
	"encoding/json"
	"net"
	"net/http"
	"net/netip"
	"runtime/debug"
	"strings"
	"time"
)

// guard stands before every request. A page of another site may make a browser
// send requests here, under our name or under its own name rebound to this address;
// neither gets through.
func (s *server) guard(hosts []string, next http.Handler) http.Handler {
	allowed := map[string]bool{}
	for _, h := range hosts {
		allowed[strings.ToLower(strings.TrimSuffix(h, "."))] = true
	}
	crossSite := http.NewCrossOriginProtection()
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		defer s.survive(w, r)
		h := w.Header()
		h.Set("X-Content-Type-Options", "nosniff")
		h.Set("Referrer-Policy", "no-referrer")
		if !strings.HasPrefix(r.URL.Path, "/ipfs/") { // the gateway has a policy of its own, and gives to everybody
			h.Set("Content-Security-Policy", "default-src 'none'; frame-ancestors 'none'; base-uri 'none'; form-action 'none'")
			h.Set("Cross-Origin-Resource-Policy", "same-origin")
			h.Set("Cross-Origin-Opener-Policy", "same-origin")
			h.Set("X-Frame-Options", "DENY")
		}
		if strings.HasPrefix(r.URL.Path, "/v1/") {
			h.Set("Cache-Control", "no-store")
		}
		if name := hostName(r.Host); !loopback(name) && !allowed[name] {
			writeProblem(w, problem(http.StatusMisdirectedRequest, CodeForbidden,
				"this node does not answer as %q: add the name to api.hosts in config.toml", clip(r.Host)))
			return
		}
		if err := crossSite.Check(r); err != nil {
			writeProblem(w, problem(http.StatusForbidden, CodeForbidden, "requests from other sites may not change anything here: use the command line, or a program on this machine"))
			return
		}
		if r.ContentLength > maxBody {
			writeProblem(w, problem(http.StatusRequestEntityTooLarge, CodeInput, "a request has at most %d bytes: send less", maxBody))
			return
		}
		r.Body = http.MaxBytesReader(w, r.Body, maxBody)
		answer := answerTimeout
		if strings.HasPrefix(r.URL.Path, "/ipfs/") {
			answer = downloadTimeout
		}
		// What is not a connection has no deadline.
		_ = http.NewResponseController(w).SetWriteDeadline(time.Now().Add(answer))
		next.ServeHTTP(w, r)
	})
}

// survive turns a panic into a problem, and lets the rest of the node go on.
func (s *server) survive(w http.ResponseWriter, r *http.Request) {
	v := recover()
	if v == nil {
		return
	}
	if v == http.ErrAbortHandler {
		panic(v)
	}
	s.log.ErrorContext(r.Context(), "a request met a defect", "method", r.Method, "path", r.URL.Path, "panic", v, "stack", string(debug.Stack()))
	// When the answer has begun this only adds to it, and the client sees a
	// malformed one.
	writeProblem(w, problem(http.StatusInternalServerError, CodeInternal, "this node met a defect; its log tells more"))
}

// hostName is the name in a Host header: lower case, without port, brackets and
// final dot.
func hostName(hostport string) string {
	host := hostport
	if h, _, err := net.SplitHostPort(hostport); err == nil {
		host = h
	}
	host = strings.TrimSuffix(strings.TrimPrefix(host, "["), "]")
	return strings.ToLower(strings.TrimSuffix(host, "."))
}

func loopback(name string) bool {
	if name == "localhost" || strings.HasSuffix(name, ".localhost") {
		return true
	}
	ip, err := netip.ParseAddr(name)
	return err == nil && ip.Unmap().IsLoopback()
}

func writeProblem(w http.ResponseWriter, p *Problem) {
	w.Header().Set("Content-Type", problemType)
	w.WriteHeader(p.Status)
	_ = json.NewEncoder(w).Encode(p) // the client has gone
}
