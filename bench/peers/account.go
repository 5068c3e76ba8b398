package peers

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"os/user"
	"strconv"
	"syscall"

	"github.com/nudge-engine/nudge/internal/procattr"
)

// account is whom the server runs as: nil for the user who runs this, because PostgreSQL
// refuses root only.
type account struct {
	name     string
	uid, gid uint32
}

// serverAccount is postgres or nobody for root.
func serverAccount() (*account, error) {
	if os.Geteuid() != 0 {
		return nil, nil
	}
	for _, name := range []string{"postgres", "nobody"} {
		found, err := user.Lookup(name)
		if err != nil {
			continue
		}
		uid, err1 := strconv.ParseUint(found.Uid, 10, 32)
		gid, err2 := strconv.ParseUint(found.Gid, 10, 32)
		if err := errors.Join(err1, err2); err != nil {
			return nil, fmt.Errorf("peers: account %s: %w", name, err)
		}
		return &account{name: name, uid: uint32(uid), gid: uint32(gid)}, nil
	}
	return nil, errors.New("peers: PostgreSQL does not run as root, and there is no account postgres or nobody; " +
		"run this as another user")
}

func (a *account) attributes() *syscall.SysProcAttr {
	// A bench that is killed takes the process with it; an interrupt from the terminal
	// is for the bench, which then stops the process.
	attributes := procattr.Own(syscall.SIGINT)
	if a != nil {
		attributes.Credential = &syscall.Credential{Uid: a.uid, Gid: a.gid}
	}
	return attributes
}

// own gives a directory to the account.
func (a *account) own(dir string) error {
	if a == nil {
		return nil
	}
	if err := os.Chown(dir, int(a.uid), int(a.gid)); err != nil {
		return fmt.Errorf("peers: %w", err)
	}
	return nil
}

// reaches says whether the account can enter a directory of its own: each directory
// above must let it pass.
func (a *account) reaches(dir string) error {
	if a == nil {
		return nil
	}
	test := exec.Command("test", "-w", dir)
	test.Dir, test.SysProcAttr = "/", a.attributes()
	if err := test.Run(); err != nil {
		return fmt.Errorf("peers: PostgreSQL runs as %s, who cannot enter %s; let all pass the directories "+
			"above it (`chmod o+x`), or take another --dir: %w",
			a.name, dir, err)
	}
	return nil
}
