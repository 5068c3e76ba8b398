package liquid

import (
	"fmt"
	"time"
)

// The limits of one rendering of one text.
const (
	// MaxOutput bounds the rendered text, in bytes (design R15).
	MaxOutput = 256 << 10
	// maxSteps bounds the work: a step is one tag, one value, or 256 bytes looked at.
	maxSteps = 500_000
	// maxMemory bounds the bytes of all values made on the way, whether still in use or not.
	maxMemory = 16 << 20
	// maxTime is a net below the others, for a machine that is far too slow.
	maxTime = 2 * time.Second
	// maxSource bounds the text of a template, in bytes.
	maxSource = 1 << 20
	// maxDigits bounds a number, before and behind the point.
	maxDigits = 400
	// maxInteger bounds the ends of a range and other whole numbers that count something.
	maxInteger = 1_000_000_000_000
	// maxWidth bounds the width of a field of a date.
	maxWidth = 100
	// itemBytes is about what an element of a list takes.
	itemBytes = 32
	// bytesPerStep is what is looked at in one step.
	bytesPerStep = 256
	// stepsPerLook is how many steps pass between two looks at the clock.
	stepsPerLook = 4096
)

// stopped carries an error up through the evaluation; Render turns it into its result. As in
// text/template, it keeps the error out of every signature in between.
type stopped struct{ err error }

// budget is what is left of the limits.
type budget struct {
	steps, memory int
	look          int // steps at which the clock is looked at
	deadline      time.Time
	now           func() time.Time
}

func newBudget(now func() time.Time) budget {
	return budget{
		steps: maxSteps, memory: maxMemory, look: maxSteps - stepsPerLook, now: now, deadline: now().Add(maxTime),
	}
}

// step takes n steps.
func (b *budget) step(n int) {
	if b.steps -= n; b.steps < 0 {
		exceed("more than %d steps", maxSteps)
	}
	if b.steps < b.look {
		b.look = b.steps - stepsPerLook
		if b.now().After(b.deadline) {
			exceed("more than %s", maxTime)
		}
	}
}

// read takes the steps of looking at n bytes.
func (b *budget) read(n int) { b.step(1 + n/bytesPerStep) }

// make takes the memory of a value of n bytes, before it is made.
func (b *budget) make(n int) {
	if b.memory -= n; n < 0 || b.memory < 0 {
		exceed("values of more than %d bytes", maxMemory)
	}
	b.read(n)
}

// items takes the memory of a list of n elements, before it is made.
func (b *budget) items(n int) {
	if n < 0 || n > maxMemory/itemBytes {
		exceed("a list of more than %d elements", maxMemory/itemBytes)
	}
	b.make(n * itemBytes)
	b.step(n)
}

func exceed(format string, args ...any) {
	panic(stopped{&LimitError{Message: fmt.Sprintf(format, args...)}})
}

func fail(format string, args ...any) { panic(stopped{&Error{Message: fmt.Sprintf(format, args...)}}) }
