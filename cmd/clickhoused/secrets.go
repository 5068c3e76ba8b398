package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
)

// maxSecrets bounds what is read as secrets, in bytes.
const maxSecrets = 64 << 10

// inherited is what nudged writes into the pipe of --accounts-fd, as one line of JSON.
type inherited struct {
	// Writer is the password of the user writer, new at each start of a child.
	Writer string `json:"writer"`
	// Reader is the password of the user reader.
	Reader string `json:"reader"`
}

// accounts returns who may log in: writer and reader from the parent's pipe, or default and
// reader from files or the environment. A password that is missing or too short is an error.
func (c *serveCommand) accounts() ([]account, error) {
	var all []account
	// As nudged's child there is no owner: writer and reader are all.
	if c.AccountsFD > 0 {
		given, err := readInherited(c.AccountsFD)
		if err != nil {
			return nil, err
		}
		all = []account{
			{user: "writer", secret: given.Writer, role: roleWriter},
			{user: "reader", secret: given.Reader, role: roleReader},
		}
	} else {
		owner, err := secretOf(c.PasswordFile, "CLICKHOUSED_PASSWORD")
		if err != nil {
			return nil, err
		}
		if owner == "" {
			return nil, errors.New("a password of the user default is needed: set CLICKHOUSED_PASSWORD, or give " +
				"--password-file")
		}
		all = []account{{user: "default", secret: owner, role: roleOwner}}
		reader, err := secretOf(c.ReaderPasswordFile, "CLICKHOUSED_READER_PASSWORD")
		if err != nil {
			return nil, err
		}
		if reader != "" {
			all = append(all, account{user: "reader", secret: reader, role: roleReader})
		}
	}
	// A short password is refused however it came.
	for _, a := range all {
		if len(a.secret) < minSecret {
			return nil, fmt.Errorf("the password of the user %s has %d bytes; %d or more are needed", a.user,
				len(a.secret), minSecret)
		}
	}
	return all, nil
}

// readInherited reads the accounts from a pipe and closes it.
func readInherited(fd int) (given inherited, err error) {
	pipe := os.NewFile(uintptr(fd), "accounts")
	if pipe == nil {
		return given, fmt.Errorf("--accounts-fd %d: there is no such file descriptor", fd)
	}
	text, err := io.ReadAll(io.LimitReader(pipe, maxSecrets))
	if err = errors.Join(err, pipe.Close()); err != nil {
		return given, fmt.Errorf("--accounts-fd %d: %w", fd, err)
	}
	if err := json.Unmarshal(text, &given); err != nil {
		// The error of the parser would quote the secrets.
		return given, fmt.Errorf("--accounts-fd %d: it is not the JSON that was expected", fd)
	}
	return given, nil
}

// secretOf returns the content of a file, or of an environment variable if no file is given.
// Arguments are no place for secrets: every user of the machine can see them.
func secretOf(file, variable string) (string, error) {
	if file == "" {
		return os.Getenv(variable), nil
	}
	f, err := os.Open(file)
	if err != nil {
		return "", fmt.Errorf("password file: %w", err)
	}
	text, err := io.ReadAll(io.LimitReader(f, maxSecrets))
	return strings.TrimRight(string(text), "\r\n"), errors.Join(err, f.Close())
}
