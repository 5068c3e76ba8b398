package liquid

// node is a part of a template.
type node interface{ isNode() }

type (
	// textNode is printed as it is.
	textNode struct{ text string }
	// outputNode prints a value: {{ value }}, echo.
	outputNode struct {
		value expr
		line  int
	}
	// assignNode gives a name to a value.
	assignNode struct {
		name  string
		value expr
		line  int
	}
	// captureNode gives a name to a text.
	captureNode struct {
		name string
		body []node
	}
	// ifNode renders the first arm that holds: if, unless.
	ifNode struct{ arms []arm }
	// caseNode renders the arms whose values have the value.
	caseNode struct {
		value expr
		arms  []whenArm
		other []node // else
		line  int
	}
	// forNode is for and tablerow.
	forNode struct {
		name                string
		list                expr
		reversed            bool
		limit, offset, cols expr
		onward              bool // offset: continue
		row                 bool // tablerow
		body                []node
		other               []node // else
		hasElse             bool
		key                 string // what a later offset: continue goes by
		line                int
	}
	// cycleNode prints its values in turn.
	cycleNode struct {
		group  expr
		key    string // of a cycle without a group: its values
		values []expr
		line   int
	}
	// jumpNode is break and continue.
	jumpNode struct{ to signal }
	// counterNode is increment and decrement.
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

// arm is one way of an if.
type arm struct {
	condition expr // nil: else
	negated   bool // unless
	body      []node
	line      int
}

// whenArm is one way of a case.
type whenArm struct {
	values []expr
	body   []node
}

// signal says how the rendering of nodes ended.
type signal uint8

const (
	goOn signal = iota
	breakLoop
	continueLoop
)
