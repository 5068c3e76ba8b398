package liquid

// node is a part of a parsed template. The set of its types is closed.
type node interface{ isNode() }

type (
	// textNode is printed as it is.
	textNode struct{ text string }
	// outputNode prints the value of an expression: {{ value }} or the tag echo.
	outputNode struct {
		value expr
		line  int
	}
	// assignNode is the tag assign.
	assignNode struct {
		name  string
		value expr
		line  int
	}
	// captureNode gives a name to the text that its body renders.
	captureNode struct {
		name string
		body []node
	}
	// ifNode renders the first arm whose condition holds: if and unless.
	ifNode struct{ arms []arm }
	// caseNode renders the arms that have the value among theirs, or other where none has.
	caseNode struct {
		value expr
		arms  []whenArm
		other []node // else
		line  int
	}
	// forNode is the tags for and tablerow.
	forNode struct {
		name                string
		list                expr
		reversed            bool
		limit, offset, cols expr
		// onward is true for offset: continue.
		onward bool
		// row is true for tablerow.
		row  bool
		body []node
		// other is what else renders, where the list is empty.
		other []node
		// hasElse is true where there is an else; then the list may be missing.
		hasElse bool
		// key identifies the loop for a later offset: continue: its name and its list.
		key  string
		line int
	}
	// cycleNode prints its values in turn, one each time.
	cycleNode struct {
		group expr
		// key identifies a cycle without a group: the text of its values.
		key    string
		values []expr
		line   int
	}
	// jumpNode is the tags break and continue.
	jumpNode struct{ to signal }
	// counterNode is the tags increment and decrement (down).
	counterNode struct {
		name string
		down bool
	}
)

func (*textNode) isNode()    {}
func (*outputNode) isNode()  {}
func (*assignNode) isNode()  {}
func (*captureNode) isNode() {}
func (*ifNode) isNode()      {}
func (*caseNode) isNode()    {}
func (*forNode) isNode()     {}
func (*cycleNode) isNode()   {}
func (*jumpNode) isNode()    {}
func (*counterNode) isNode() {}

// arm is one branch of an if.
type arm struct {
	// condition is nil for else.
	condition expr
	// negated is true for unless.
	negated bool
	body    []node
	line    int
}

// whenArm is one branch of a case.
type whenArm struct {
	values []expr
	body   []node
}

// signal says how the rendering of nodes ended: break and continue leave all blocks up to
// their loop.
type signal uint8

const (
	goOn signal = iota
	breakLoop
	continueLoop
)
