package parse

import (
	"net/url"
	"strings"

	"go.yaml.in/yaml/v3"

	"github.com/nudge-engine/nudge/campaign/program"
	"github.com/nudge-engine/nudge/campaign/unit"
	"github.com/nudge-engine/nudge/internal/clip"
)

// call reads {url, method, headers, body, expires, wait, timeout, on_fail}, and reports that no
// server can make calls yet. The fields become the texts of a message: method, url, header.NAME and
// body.
func (r *stepReader) call(n *yaml.Node) *program.Call {
	r.core.unsupported = append(r.core.unsupported, &Error{
		File: r.core.file, Line: n.Line, Column: n.Column,
		Message: "call is not supported yet: there is no transport for it, and it would fail for every customer; " +
			"write send with a channel of type webhook to reach a URL",
	})
	c := &program.Call{
		Request: program.Send{Channels: []string{program.CallChannel}, Expires: unit.DayMillis},
		Timeout: unit.DayMillis,
	}
	method, address, body := "POST", "", ""
	var headers []program.Field
	r.core.object(n, "call",
		field{name: "url", required: true, read: func(n *yaml.Node) {
			r.core.text(n, "call.url", &address)
			r.core.spot(Spot{Field: "text", Name: "url"}, n)
			// Only what comes before the first variable can be checked here.
			fixed, _, liquid := strings.Cut(address, "{{")
			at, err := url.Parse(fixed)
			if err != nil || at.Scheme != "http" && at.Scheme != "https" || at.Host == "" && !liquid {
				r.core.fail(n, "call.url %q: write http:// or https://, a host and a path", clip.Text(address, 64))
			}
		}},
		field{name: "method", read: func(n *yaml.Node) {
			methods := []string{"POST", "GET", "PUT", "PATCH", "DELETE"}
			method = methods[r.core.choice(n, "call.method", methods...)]
		}},
		field{name: "headers", read: func(n *yaml.Node) { r.core.messageFields(n, "call.headers", &headers) }},
		field{name: "body", read: func(n *yaml.Node) {
			r.core.text(n, "call.body", &body)
			r.core.spot(Spot{Field: "text", Name: "body"}, n)
		}},
		field{name: "expires", read: func(n *yaml.Node) { r.core.duration(n, "call.expires", &c.Request.Expires) }},
		field{name: "wait", read: func(n *yaml.Node) { r.core.boolean(n, "call.wait", &c.Wait) }},
		field{name: "timeout", read: func(n *yaml.Node) { r.core.duration(n, "call.timeout", &c.Timeout) }},
		field{name: "on_fail", read: func(n *yaml.Node) { c.OnFail = r.core.gotoObject(n, "call.on_fail") }})
	fields := []program.Field{{Name: "method", Source: method}, {Name: "url", Source: address}}
	for _, h := range headers {
		fields = append(fields, program.Field{Name: "header." + h.Name, Source: h.Source})
	}
	if body != "" {
		fields = append(fields, program.Field{Name: "body", Source: body})
	}
	c.Request.Message.Fields = fields
	return c
}
