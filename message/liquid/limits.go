package liquid

import (
	"fmt"
	"time"
)

// The limits of one rendering of one text. They are far above what messages need, and low
// enough that a hostile value costs the dispatcher no more than a moment.
const (
	// MaxOutput is the greatest size of the rendered text in bytes.
	MaxOutput = 256 << 10
	// maxSteps is the amount of work: a step is one tag, one value, or bytesPerStep bytes
	// read.
	maxSteps = 500_000
	// maxMemory is the size in bytes of all values made on the way, whether they are still
	// in use or not. It thus also bounds the work of the garbage collector.
	maxMemory = 16 << 20
	// maxTime is the last resort behind the other limits, for a machine that is far too
	// slow. It is the only limit that depends on the machine.
	maxTime = 2 * time.Second
	// maxSource is the greatest size of a template in bytes.
	maxSource = 1 << 20
	// maxDigits is the greatest number of digits of a number, on each side of the point.
	// The largest double has 309.
	maxDigits = 400
	// maxInteger is the greatest magnitude of the ends of a range and of other numbers that
	// count something. Sums of them fit an int.
	maxInteger = 1_000_000_000_000
	// maxWidth is the greatest width of a field of a date.
	maxWidth = 100
	// itemBytes is what an element of a list takes in memory, approximately.
	itemBytes = 32
	// bytesPerStep is how many bytes are read for the price of one step.
	bytesPerStep = 256
	// stepsPerLook is the number of steps between two looks at the clock, which would
	// otherwise cost more than the steps.
	stepsPerLook = 4096
)

// stopped carries an error up through the evaluation by a panic; Render recovers it and
// returns the error. As in text/template, this keeps the error out of every signature in
// between.
type stopped struct{ err error }

// budget is what is left of the limits of one rendering.
type budget struct {
	steps, memory int
	// look is the number of remaining steps below which the clock is looked at next.
	look     int
	deadline time.Time
	now      func() time.Time
}

// newBudget returns a full budget. now is the clock, which tests replace.
func newBudget(now func() time.Time) budget {
	return budget{
		steps: maxSteps, memory: maxMemory, look: maxSteps - stepsPerLook, now: now, deadline: now().Add(maxTime),
	}
}

// step charges n steps, and ends the rendering when none are left or the time is over.
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

// read charges for reading n bytes.
func (b *budget) read(n int) { b.step(1 + n/bytesPerStep) }

// make charges for a value of n bytes. It must be called before the value is made. A
// negative n comes from an overflow and ends the rendering.
func (b *budget) make(n int) {
	if b.memory -= n; n < 0 || b.memory < 0 {
		exceed("values of more than %d bytes", maxMemory)
	}
	b.read(n)
}

// items charges for a list of n elements. It must be called before the list is made.
func (b *budget) items(n int) {
	if n < 0 || n > maxMemory/itemBytes {
		exceed("a list of more than %d elements", maxMemory/itemBytes)
	}
	b.make(n * itemBytes)
	b.step(n)
}

// exceed ends the rendering with a LimitError.
func exceed(format string, args ...any) {
	panic(stopped{&LimitError{Message: fmt.Sprintf(format, args...)}})
}

// fail ends the rendering with an Error; Render adds the line.
func fail(format string, args ...any) { panic(stopped{&Error{Message: fmt.Sprintf(format, args...)}}) }
