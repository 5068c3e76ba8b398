package ingest

import (
	"fmt"
	"strings"

	"github.com/valyala/fastjson"

	"github.com/nudge-engine/nudge/campaign/customer"
	"github.com/nudge-engine/nudge/campaign/event"
	"github.com/nudge-engine/nudge/campaign/jsonvalue"
)

// id reads a field that is an id: a text, or a whole number as its digits. It is "" when the
// field is absent or null.
func (i *item) id(name string) (string, *FieldError) {
	v := i.v.Get(name)
	if v == nil || v.Type() == fastjson.TypeNull {
		return "", nil
	}
	if v.Type() == fastjson.TypeString {
		return i.text(name)
	}
	// Clients of databases send numbers; 42 and "42" are one customer.
	id, ok := jsonvalue.Identifier(v)
	if !ok {
		return "", &FieldError{
			Path: name, Code: codeType, Message: "must be a text or a whole number, not " + typeName(v),
		}
	}
	if len(id) > maxName {
		return "", &FieldError{
			Path: name, Code: codeTooLong,
			Message: fmt.Sprintf("%d digits; at most %d are allowed", len(id), maxName),
		}
	}
	return id, nil
}

// person reads an id of a customer. An id that names nobody, as broken clients send it for
// everybody ("undefined", "0"), counts as absent, and nobody is true.
func (i *item) person(name string) (id string, nobody bool, wrong *FieldError) {
	id, wrong = i.id(name)
	if wrong == nil && id != "" && event.NamesNobody(strings.TrimPrefix(id, anonymousPrefix)) {
		return "", true, nil
	}
	return id, false, wrong
}

// identity finds whose event it is: userId goes before anonymousId; a call with neither must
// be a broadcast.
func (i *item) identity(e *event.Event) *FieldError {
	// Both ids are read before either is used: one that is malformed is an error even if the
	// other would do.
	user, badUser, wrong := i.person("userId")
	if wrong != nil {
		return wrong
	}
	anonymous, badAnonymous, wrong := i.person("anonymousId")
	if wrong != nil {
		return wrong
	}
	i.anonymous = anonymous
	switch {
	case strings.HasPrefix(user, anonymousPrefix):
		return reservedUser()
	case user != "":
		e.Customer = user
	case anonymous != "":
		e.Customer = anonymousPrefix + anonymous
	// Only ids that name nobody were given. The first of them is named in the error.
	case badUser:
		return namesNobody("userId")
	case badAnonymous:
		return namesNobody("anonymousId")
	case i.toEverybody():
	default:
		return &FieldError{Path: "userId", Code: codeMissing, Message: "userId or anonymousId is needed"}
	}
	i.customer = e.Customer
	return nil
}

// namesNobody refuses a call whose only id names nobody. Taken, it would make one customer of
// all of a client's users.
func namesNobody(field string) *FieldError {
	return &FieldError{
		Path: field, Code: codeNobody,
		Message: "names nobody: broken clients send it for everybody; leave it out where there is no id, " +
			"and send an anonymousId of the visitor's own",
	}
}

// reservedUser refuses a userId that looks like the id of an anonymous customer: a client
// could write to another visitor with it.
func reservedUser() *FieldError {
	return &FieldError{
		Path: "userId", Code: codeReserved, Message: `must not begin with "` + customer.AnonymousPrefix + `"`,
	}
}
