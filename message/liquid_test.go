package message_test

import (
	"strings"
	"testing"

	"github.com/nudge-engine/nudge/campaign/program"
	"github.com/nudge-engine/nudge/message"
)

// rendered is a text made of values, or the error.
func rendered(source, values string) string {
	got, err := message.NewRenderer().Render([]program.Field{{Name: "body", Source: source}}, []byte(values), noon)
	if err != nil {
		return "error: " + err.Error()
	}
	return got[0].Source
}

// named are the variables of a text: with ? where they may be missing, with another one
// behind / where they are its fallback; or the error.
func named(source string) string {
	vars, err := message.NewRenderer().Variables([]program.Field{{Name: "body", Source: source}})
	if err != nil {
		return "error: " + err.Error()
	}
	words := []string{}
	for _, v := range vars {
		word := v.Path
		if v.Optional {
			word += "?"
		}
		if v.Unless != "" {
			word += "/" + v.Unless
		}
		words = append(words, word)
	}
	return strings.Join(words, " ")
}

// Whatever Liquid takes is rendered, however it is written; what is no tag of it is an error
// when the campaign is checked. No tag reaches a customer.
func TestTags(t *testing.T) {
	f := func(source, want string) {
		t.Helper()
		if got := named(source); strings.HasPrefix(got, "error") {
			t.Errorf("%q: %s", source, got)
		}
		if got := rendered(source, `{"trigger.properties.n":"ann","trigger.properties.l":["a","b"]}`); got != want {
			t.Errorf("%q: %q; want %q", source, got, want)
		}
	}
	const n = "trigger.properties.n"
	f("{{ "+n+" |\n upcase }}", "ANN")
	f("{{\n\t"+n+"\r\n\t| upcase\n}}", "ANN")
	f("{{\u00a0"+n+"\u00a0}}", "ann")
	f("a {{- "+n+" -}} b", "aannb")
	f("a {%- if\n"+n+"\n== 'ann' -%} x {%- endif -%} b", "axb")
	f("{%if "+n+"%}x{%endif%}{%\n assign v = 1\n%}{{v}}", "x1")
	f(`{{ "}}" }}{{ '%}' }}{{ "{{ x }}" }}{{ '{% x %}' }}`, "}}%}{{ x }}{% x %}")
	f(`{% if "%}" == '%}' %}x{% endif %}`, "x")
	f("{% # a remark, it's one %}x{%- # another\n # line -%} y", "xy")
	f("{% liquid\n assign v = "+n+" | upcase\n if v == 'ANN'\n echo v\n endif\n # done\n%}", "ANN")
	f("{% raw %}{{ nope }}{% endraw %}{% comment %}{{ nope | shout }}{% x %}{{ {% endcomment %}", "{{ nope }}")
	f("{% comment %}a{% comment %}b{% endcomment %}{% raw %}{% endcomment %}{% endraw %}c{% endcomment %}d", "d")
	f("{ {a} } }} %} {{ "+n+" }}}", "{ {a} } }} %} ann}")
	f(`{"a":{"b":{{ `+n+` | json }}}}`, `{"a":{"b":"ann"}}`)
	f("{% for i in (1..3) %}{% cycle 'a', 'b' %}{% endfor %}{% cycle 'x', 'y' %}{% cycle 'x', 'y' %}", "abaxy")
	f("{% cycle 'x': 1, 2 %}{% cycle 'x': 1, 2 %}", "12")
	f("{% increment c %}{% increment c %}{% decrement d %}{{ c }}", "01-12")
	f("{% for l in trigger.properties.l reversed %}{{ forloop.index }}{{ l }}{% unless forloop.last %},{% endunless %}{% endfor %}", "1b,2a")
	f("{% for l in trigger.properties.l, limit: 1, offset: 1 %}{{ l }}{% endfor %}", "b")
	f("{% case "+n+" %}{% when 'x', 'y' %}1{% when 'z' or 'ann' %}2{% else %}3{% endcase %}", "2")
	f("{% unless "+n+" == 'x' %}1{% elsif true %}2{% else %}3{% endunless %}", "1")
	f("{{ trigger.properties.l | slice: 1 | join }}{{ trigger.properties.l | slice: -2, 2 | join: '+' }}", "ba+b")
	f("{% tablerow l in trigger.properties.l cols: 1 %}{{ l }}{% endtablerow %}",
		"<tr class=\"row1\">\n<td class=\"col1\">a</td></tr>\n<tr class=\"row2\"><td class=\"col1\">b</td></tr>\n")
	f("{% assign a = 'x' %}{% capture b %}{{ a }}y{% endcapture %}{{ b }}", "xy")
}

func TestNoTags(t *testing.T) {
	f := func(source, want string) {
		t.Helper()
		if got := named(source); !strings.HasPrefix(got, "error: body: ") || !strings.Contains(got, want) {
			t.Errorf("%q: %q; want %q", source, got, want)
		}
	}
	f("a\n{{ customer.id", "line 2: a tag is not closed: write }}")
	f("{{ customer.id }", "a tag is not closed")
	f("a {{", "a tag is not closed")
	f("{% if customer.id", "a tag is not closed: write %}")
	f("{{ 'it }}", "a quote ' is not closed")
	f("{{{ customer.id }}}", `"{" does not belong`)
	f("{{ {{ customer.id }} }}", `"{" does not belong`)
	f("{{ customer.id | }}", "the name of a filter is missing")
	f("{{ customer.id | shout }}", `"shout" is no filter`)
	f("{{ customer.id chain.key }}", "does not belong there")
	f("{{ customer.id; }}", "does not belong")
	f("{% if customer.id = 'x' %}{% endif %}", "write == to compare")
	f("{% if customer.id %}", "if is not closed: write {% endif %}")
	f("{% endif %}", "closes a block that is not open")
	f("{% for i in (1..3) %}{% endif %}{% endfor %}", "closes a block that is not open")
	f("{% else %}", "stands in no block")
	f("{% shout %}", `"shout" is no tag`)
	f("{% %}", "a tag has no name")
	f("{% comment %}", "comment is not closed")
	f("{% raw %}{{ x }}", "raw is not closed")
	f("{% render 'x' %}", "render is not supported; write the text out")
	f("{% liquid\n if true\n%}", "if is not closed")
	f("{{ customer.id | replace }}", "filter replace needs one argument")
	f("{{ customer.id | upcase: 1 }}", "filter upcase takes no argument at most")
	f("{{ 12 | money: 'XYZ' }}", "currency")
}

// What could not be made of any value is an error when the campaign is checked.
func TestNeverRendered(t *testing.T) {
	f := func(source, want string) {
		t.Helper()
		if got := named(source); !strings.Contains(got, want) || want == "" && strings.HasPrefix(got, "error") {
			t.Errorf("%q: %q; want %q", source, got, want)
		}
	}
	f("{{ trigger.properties.n | divided_by: 0 }}", "cannot be made of any values")
	f("{{ trigger.properties.n | append: ' EUR' | times: 2 }}", "times: ")
	f("{{ 'x' | plus: trigger.properties.n }}", `plus: "x" is no number`)
	f("{% assign a = nil %}{{ a | minus: 1 }}", "minus: there is no value")
	f("{{ '%zz' | url_decode }}", "url_decode")
	f("{% for i in ('a'..3) %}{% endfor %}", `range: "a" is no number`)
	f("{{ trigger.properties.n | times: 2 }}{{ trigger.properties.l | sort | join }}", "")
	f("{{ trigger.properties.a | money: trigger.properties.c }}", "")
	f("{{ trigger.properties.z | money: trigger.properties.c }}", "")
	f("{% for l in trigger.properties.l %}{{ l.price | money: l.currency }}{% else %}-{% endfor %}"+
		"{{ trigger.properties.a | money: trigger.properties.c }}", "")
	f("{{ trigger.properties.a | times: 2 | money: trigger.properties.c }}"+
		"{{ trigger.properties.b | money: trigger.properties.d }}", "")
	f("{{ trigger.properties.a | money: trigger.properties.c | times: 'x' }}", "cannot be made of any values")
	f("{% for l in trigger.properties.l %}{{ l.price | times: l.quantity }}{% else %}none{% endfor %}", "")
	f("{{ trigger.properties.at | date: '%F' }}{{ trigger.properties.o | json }}", "")
	f("{{ trigger.properties.price | money: trigger.properties.currency | default: '-' }}", "")
}

// What is missing and not tested drops the message, with its name.
func TestMissing(t *testing.T) {
	f := func(source, variables, values, want string) {
		t.Helper()
		if got := named(source); got != variables {
			t.Errorf("%s: %q; want %q", source, got, variables)
		}
		got := rendered(source, values)
		if _, missing, ok := strings.Cut(got, "missing_variable: "); ok {
			got = "missing_variable: " + missing
		}
		if got != want {
			t.Errorf("%s: %q; want %q", source, got, want)
		}
	}
	const a, b, l = "trigger.properties.a", "trigger.properties.b", "trigger.properties.l"
	loop := "{% for x in " + l + " %}{{ x }}{% endfor %}"
	f(loop, l, `{}`, "missing_variable: "+l)
	f("{% for x in "+l+" %}{{ x }}{% else %}none{% endfor %}", l+"?", `{}`, "none")
	f("{% for x in "+l+" %}{{ x }}{% else %}none{% endfor %}", l+"?", `{"trigger.properties.l":[]}`, "none")
	f("{% for x in "+l+" %}{{ "+l+".size }}{% else %}none{% endfor %}", l+"? "+l+".size?", `{}`, "none")
	f("{% if "+l+" %}"+loop+"{% endif %}.", l+"?", `{}`, ".")
	f("{% tablerow x in "+l+" %}{% endtablerow %}", l, `{}`, "missing_variable: "+l)
	f("{{ "+a+" | default: 'x' }}", a+"?", `{}`, "x")
	f("{{ "+a+" | default: "+b+" }}", a+"? "+b+"/"+a, `{}`, "missing_variable: "+b)
	f("{{ "+a+" | default: "+b+" }}", a+"? "+b+"/"+a, `{"trigger.properties.b":"y"}`, "y")
	f("{{ "+a+" | default: "+b+" }}", a+"? "+b+"/"+a, `{"trigger.properties.a":"x"}`, "x")
	f("{{ "+a+" | default: "+b+" | default: 'z' }}", a+"? "+b+"?", `{}`, "z")
	f("{{ "+a+" | default: 'z' | append: "+b+" }}", a+"? "+b, `{}`, "missing_variable: "+b)
	f("{{ "+a+" | times: 2 | money: 'EUR' | default: 'free' }}", a+"?", `{}`, "free")
	f("{{ "+a+" | append: "+b+" }}", a+" "+b, `{"trigger.properties.a":"x"}`, "missing_variable: "+b)
	f("{% case "+a+" %}{% when 'x' %}{{ "+a+" }}{% else %}other{% endcase %}", a+"?", `{}`, "other")
	f("{% unless "+a+" %}none{% else %}{{ "+a+" }}{% endunless %}", a+"?", `{}`, "none")
	f("{% if "+a+" == nil %}none{% else %}{{ "+a+" }}{% endif %}", a+"?", `{}`, "none")
	f("{% if "+a+" %}{{ "+b+" }}{% endif %}", a+"? "+b, `{"trigger.properties.a":true}`, "missing_variable: "+b)
	f("{% cycle "+a+", 'x' %}", a, `{}`, "missing_variable: "+a)
	f("{% for i in (1.."+a+") %}{% endfor %}", a, `{}`, "missing_variable: "+a)
	f("{% for x in "+l+" limit: "+a+" %}{{ x }}{% endfor %}", a+" "+l, `{"trigger.properties.l":[1]}`, "missing_variable: "+a)
	f("{% for x in "+l+" %}{{ x.nope }}{% endfor %}.", l, `{"trigger.properties.l":[{}]}`, ".")
	f("{% assign v = "+a+" %}{{ v }}", a, `{}`, "missing_variable: "+a)
	f("{% assign v = "+a+" | default: nil %}{{ v }}.", a+"?", `{}`, ".")
}

// What stands in a comment or a raw block is no variable.
func TestVerbatim(t *testing.T) {
	for source, want := range map[string]string{
		"{% comment %}{{ trigger.properties.a }}{% if customer.traits.b %}{% endcomment %}x":           "",
		"{% raw %}{{ trigger.properties.a }}{% endraw %}{{ trigger.properties.c }}":                    "trigger.properties.c",
		"{%- comment -%}{{ trigger.properties.a }}{%- endcomment -%}{{ trigger.properties.c }}":        "trigger.properties.c",
		"{% # {{ trigger.properties.a }} %}{{ 'trigger.properties.b' }}":                               "",
		"{% liquid\n comment\n echo trigger.properties.a\n endcomment\n%}":                             "",
		"{% comment %}{% raw %}{% endcomment %}{{ trigger.properties.a }}{% endraw %}{% endcomment %}": "",
	} {
		if got := named(source); got != want {
			t.Errorf("%s: %q; want %q", source, got, want)
		}
	}
}

// Names in brackets are names.
func TestBrackets(t *testing.T) {
	f := func(source, variables, values, want string) {
		t.Helper()
		if got := named(source); got != variables {
			t.Errorf("%s: %q; want %q", source, got, variables)
		}
		if got := rendered(source, values); got != want {
			t.Errorf("%s: %q; want %q", source, got, want)
		}
	}
	const total = `{"trigger.properties.Total Price":12.5}`
	f("{{ trigger.properties['Total Price'] }}", "trigger.properties.Total Price", total, "12.5")
	f(`{{ trigger.properties["Total Price"] | plus: 1 }}`, "trigger.properties.Total Price", total, "13.5")
	f(`{{ trigger['properties']["Total Price"] }}`, "trigger.properties.Total Price", total, "12.5")
	f("{% if trigger.properties['Total Price'] > 12 %}{{ trigger.properties['Total Price'] }}{% endif %}",
		"trigger.properties.Total Price?", total, "12.5")
	f("{{ trigger.properties['a b']['c d'].e }}", "trigger.properties.a b.c d.e", `{"trigger.properties.a b.c d.e":1}`, "1")
	f("{{ trigger.properties.cart['line items'][0].sku }}", "trigger.properties.cart.line items",
		`{"trigger.properties.cart.line items":[{"sku":"x"}]}`, "x")
	f("{{ customer.traits['a.b'] }}{{ customer.traits['ключ'] }}", `customer.traits.a\.b customer.traits.ключ`,
		`{"customer.traits.a\\.b":1,"customer.traits.ключ":2}`, "12")
	f("{{ trigger.properties.l[1] }}{{ trigger.properties.l[-1] }}", "trigger.properties.l", `{"trigger.properties.l":[1,2]}`, "22")
	f("{{ customer.tags[0] }}{{ customer.tags.size }}", "customer.tags", `{"customer.tags":["vip"]}`, "vip1")
	if got := named("{{ trigger.properties[customer.id] }}"); !strings.Contains(got, "write the name out") {
		t.Errorf("unexpected %q", got)
	}
}

// Texts are made of letters, whatever their alphabet and however they are composed.
func TestLetters(t *testing.T) {
	f := func(source, want string) {
		t.Helper()
		if got := rendered(source, ""); got != want {
			t.Errorf("%s: %q; want %q", source, got, want)
		}
	}
	f("{{ 'élan' | capitalize }} {{ 'ольга' | capitalize }} {{ 'ǆ' | capitalize }} {{ '' | capitalize }}", "Élan Ольга ǅ ")
	f("{{ 'straße' | upcase }} {{ 'ПРИВІТ' | downcase }} {{ 'ΟΔΟΣ' | downcase }}", "STRASSE привіт οδος")
	f("{{ 'жінка' | slice: 0 }} {{ 'жінка' | slice: -2, 2 }} {{ 'e\u0301a' | slice: 0 }}", "ж ка e\u0301")
	f("{{ 'Привіт, світе' | truncate: 9 }} {{ 'ééé' | truncate: 3 }}", "Привіт... ééé")
	f("{{ 'один два три' | truncatewords: 2 }}", "один два...")
	f("{{ 'жук' | size }}{{ '👨‍👩‍👧' | size }}{{ '🇺🇦' | size }}", "311")
	f("{{ 'añb👍🏽' | split: '' | reverse | join: '' }}", "👍🏽bña")
	f("{{ '  ж  ' | strip }}{{ '\u00a0ж' | lstrip }}", "жж")
}

// Arithmetic is exact, and whole numbers stay whole.
func TestDecimals(t *testing.T) {
	f := func(source, value, want string) {
		t.Helper()
		if got := rendered(source, `{"trigger.properties.n":`+value+`}`); got != want {
			t.Errorf("%s with %s: %q; want %q", source, value, got, want)
		}
	}
	const n = "trigger.properties.n"
	f("{{ 0.1 | plus: 0.2 }} {{ 0.3 | minus: 0.1 }} {{ 1.1 | times: 1.1 }} {{ 4.35 | times: 100 }}", "1", "0.3 0.2 1.21 435")
	f("{{ 1 | divided_by: 3.0 }} {{ 1.005 | round: 2 }} {{ -2.5 | round }} {{ 0.3 | modulo: 0.1 }}", "1", "0.3333333333333333 1.01 -3 0")
	const id = "12345678901234567890"
	f("{{ "+n+" }} {{ "+n+" | json }} {{ "+n+" | append: '' }} {{ "+n+" | plus: 1 }}", id, id+" "+id+" "+id+" 12345678901234567891")
	f("{% capture c %}{{ "+n+" }}{% endcapture %}{{ c }} {{ c | minus: 1 }}", id, id+" 12345678901234567889")
	f("{% if "+n+" == 12345678901234567890 %}same{% endif %}{% if "+n+" > 12345678901234567889 %}more{% endif %}", id, "samemore")
	f("{% case "+n+" %}{% when 12345678901234567891 %}other{% when 12345678901234567890 %}it{% endcase %}", id, "it")
	f("{{ "+n+" | sort | join: ' ' }}", `[12345678901234567891, 12345678901234567890]`, "12345678901234567890 12345678901234567891")
	f("{{ "+n+" | sum }}", `[0.1, 0.2, "0.3"]`, "0.6")
	f("{{ "+n+" | at_least: 0.3 }} {{ "+n+" | abs }} {{ "+n+" | ceil }} {{ "+n+" | floor }}", "-0.1", "0.3 0.1 0 -1")
	f("{{ 'x' | append: "+n+" }}", "1e-7", "x0.0000001")
	f("{{ "+n+" }}", "1e400000", "1e400000")
}

// Money has the digits of its currency.
func TestMoney(t *testing.T) {
	f := func(source, value, want string) {
		t.Helper()
		if got := rendered(source, `{"trigger.properties.n":`+value+`}`); got != want {
			t.Errorf("%s with %s: %q; want %q", source, value, got, want)
		}
	}
	const n = "trigger.properties.n"
	f("{{ "+n+` | money: "EUR" }} {{ `+n+` | money: "JPY" }} {{ `+n+` | money: "BHD" }} {{ `+n+` | money: "CLF" }}`, "12.5", "12.50 13 12.500 12.5000")
	f("{{ "+n+` | money: "usd" }}`, `"1234567.005"`, "1234567.01")
	f("{{ "+n+` | money: "EUR" }}`, "-0.005", "-0.01")
	f("{{ "+n+" | money }}", "12", "12.00")
	f("{{ "+n+" | money }}", "0.125", "0.125")
	f("{{ "+n+" | money }}", `{"amount":12.5,"currency":"KWD"}`, "12.500")
	f("{{ "+n+".value | times: 3 | money: "+n+".currency }}", `{"value":0.1,"currency":"EUR"}`, "0.30")
	if got := rendered("{{ 1 | money: "+n+" }}", `{"trigger.properties.n":"ABC"}`); !strings.Contains(got, `"ABC" is no currency`) {
		t.Errorf("unexpected %q", got)
	}
}
