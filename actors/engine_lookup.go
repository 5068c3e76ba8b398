package actors

import "github.com/nudge-engine/nudge/campaign/program"

// documentKind names the documents of one kind of a workspace.
type documentKind struct{ workspace, kind string }

// Document returns the document in force under a name; ok is false if there is none. It
// is called for every delivery, so it does not wait for a change under way.
func (c *Controller) Document(workspace, kind, name string) (d program.Document, ok bool) {
	c.seen.RLock()
	defer c.seen.RUnlock()
	d, ok = c.docs[workspace][kind+"/"+name]
	return d, ok
}

// DocumentsOf returns the documents of one kind in force, in no order.
func (c *Controller) DocumentsOf(workspace, kind string) []program.Document {
	c.seen.RLock()
	defer c.seen.RUnlock()
	names := c.names[documentKind{workspace, kind}]
	docs := make([]program.Document, 0, len(names))
	for name := range names {
		docs = append(docs, c.docs[workspace][kind+"/"+name])
	}
	return docs
}

// Revision counts the changes of the documents in force. While it stays the same so do
// they, and what was derived from them need not be made again.
func (c *Controller) Revision() uint64 {
	c.seen.RLock()
	defer c.seen.RUnlock()
	return c.revision
}

// note remembers that a document of that name exists. The caller holds seen.
func (c *Controller) note(workspace string, d *program.Document) {
	key := documentKind{workspace, d.Kind}
	if c.names[key] == nil {
		c.names[key] = map[string]bool{}
	}
	c.names[key][d.Name] = true
}
