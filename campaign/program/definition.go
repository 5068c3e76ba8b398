package program

// Definition is what one document means: exactly one of the pointers is set, by its kind.
type Definition struct {
	Document Document
	Campaign *Program
	Channel  *Channel
	Template *Template
	Scenario *Scenario
	Policy   *Policy
}
