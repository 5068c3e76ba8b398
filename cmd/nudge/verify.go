package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"

	"github.com/nudge-engine/nudge/ops/datadir"
	"github.com/nudge-engine/nudge/ops/verify"
)

// verifyCommand is `nudge verify`; package ops/verify says what is compared.
type verifyCommand struct {
	Data string `required:"" aliases:"data-dir" placeholder:"DIR" help:"Data directory of a server that is not running."`
}

func (v *verifyCommand) Help() string {
	return `Replays the log of a stopped server and compares: the state that comes out must
have the hash that the last snapshot says, and every effect message that comes
out must be the one in the log. The replay begins at sequence 1 where the log
still has it, else at the older checkpoint. What a version of other semantics
computed is not compared: the replay begins where this one took over. Nothing is changed,
unless the disk damaged the log: then it is mended as at a start, and said.`
}

// Run compares all partitions, also after one that is wrong, and prints a line for each: "ok"
// with the frames, messages and customers that were compared, "not compared", or "WRONG" with
// the difference. It fails unless all are ok: no news is not good news here.
func (v *verifyCommand) Run(out console) (err error) {
	dir, err := datadir.Open(v.Data, errorsOnly(out))
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, dir.Close()) }()
	partitions := dir.Genesis().Partitions
	wrong, unknown := 0, 0
	for p := range partitions {
		r, err := verify.Partition(context.Background(), dir, p)
		switch {
		// That the version before computed it is no fault, but nothing was compared.
		case errors.Is(err, verify.ErrEarlier):
			unknown++
			fmt.Fprintf(out.out, "partition %d: not compared: %v\n", p, err)
		case err != nil:
			wrong++
			fmt.Fprintf(out.out, "partition %d: WRONG: %v\n", p, err)
		default:
			v.tell(out, p, r)
		}
	}
	// A partition that is wrong outweighs those that were not compared.
	if wrong > 0 {
		return fmt.Errorf("%d of %d partitions are wrong", wrong, partitions)
	}
	if unknown > 0 {
		return fmt.Errorf("%d of %d partitions were not compared", unknown, partitions)
	}
	return nil
}

// tell prints what was compared of a partition, and which frames of the log were not.
func (v *verifyCommand) tell(out console, p int, r verify.Result) {
	fmt.Fprintf(out.out, "partition %d: ok: frames %d..%d, %d effect messages compared, %d customers, state %016x\n",
		p, r.From, r.To, r.Messages, r.Customers, r.StateHash)
	if r.Begins > 0 {
		fmt.Fprintf(out.out,
			"partition %d: frames %d..%d are not compared: no state of this version is from before them\n",
			p, r.Begins, r.From-1)
	}
}

// errorsOnly returns a logger for the embedded log of a tool. Only errors are shown, above all
// damage on disk; the rest is for those who run servers.
func errorsOnly(out console) *slog.Logger {
	return slog.New(slog.NewTextHandler(out.err, &slog.HandlerOptions{Level: slog.LevelError}))
}
