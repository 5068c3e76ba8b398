package lint

import (
	"context"
	"errors"
	"fmt"
	"go/ast"
	"go/parser"
	"go/scanner"
	"go/token"
	"io/fs"
	"os"
	"os/exec"
	"path"
	"path/filepath"
	"slices"
	"strings"
)

// Repo is a source tree held in memory. Paths are relative to its root and
// separated by slashes on every platform.
type Repo struct {
	Fset  *token.FileSet
	Go    []*GoFile // sorted by path
	Texts []Text    // sorted by path; includes the Go files
	Files []File    // sorted by path; all of them

	// broken has a finding for each file that does not parse.
	broken []Finding
}

// GoFile is one parsed Go file.
type GoFile struct {
	Path   string
	Source string
	AST    *ast.File

	// marks maps a line to the text of its //nudge: comment.
	marks map[int]string
}

// Text is a file without a NUL byte.
type Text struct {
	Path string
	Data string
}

// File is what is known of every file, whatever its content.
type File struct {
	Path string
	Size int64 // bytes
	// Head is the first bytes, at most headSize.
	Head string
}

// headSize is the number of bytes by which compiled files are recognised.
const headSize = 4

// Finding is one place at which a rule is broken: what is wrong there, and what to do
// instead.
type Finding struct {
	Path    string
	Line    int
	Wrong   string
	Instead string
}

// String returns the finding in the form that editors make clickable: path:line: message.
func (f Finding) String() string {
	return fmt.Sprintf("%s:%d: %s; %s", f.Path, f.Line, f.Wrong, f.Instead)
}

// Load reads the tree at root. Where git answers, files that it ignores are
// left out. The tree is walked even then, because the test cache of the go
// command follows the directories that a test opens, not those that git does.
func Load(ctx context.Context, root string) (*Repo, error) {
	files := map[string]string{}
	known := gitFiles(ctx, root)
	err := fs.WalkDir(os.DirFS(root), ".", func(name string, entry fs.DirEntry, err error) error {
		switch {
		case err != nil:
			if errors.Is(err, fs.ErrNotExist) {
				return nil // removed while we walked
			}
			return err
		case entry.IsDir():
			if skipDir(entry.Name()) && name != "." {
				return fs.SkipDir
			}
			return nil
		// Links, sockets and the like have no text of their own.
		case !entry.Type().IsRegular() || known != nil && !known[name]:
			return nil
		}
		data, err := os.ReadFile(filepath.Join(root, filepath.FromSlash(name)))
		if errors.Is(err, fs.ErrNotExist) {
			return nil
		}
		if err == nil {
			files[name] = string(data)
		}
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("lint: read tree: %w", err)
	}
	return Parse(files), nil
}

// Parse returns the Repo of files by path, for Load and for tests that plant a fault. A
// file that does not parse becomes a finding of the rule "parses".
func Parse(files map[string]string) *Repo {
	repo := &Repo{Fset: token.NewFileSet()}
	for name, data := range files { //nudge:unordered sorted below
		repo.Files = append(repo.Files, File{Path: name, Size: int64(len(data)), Head: data[:min(len(data), headSize)]})
		if !strings.ContainsRune(data, 0) {
			repo.Texts = append(repo.Texts, Text{Path: name, Data: data})
		}
	}
	slices.SortFunc(repo.Files, func(a, b File) int { return strings.Compare(a.Path, b.Path) })
	slices.SortFunc(repo.Texts, func(a, b Text) int { return strings.Compare(a.Path, b.Path) })
	for _, text := range repo.Texts {
		if path.Ext(text.Path) != ".go" || inTestdata(text.Path) {
			continue
		}
		file, err := parser.ParseFile(repo.Fset, text.Path, text.Data, parser.ParseComments|parser.SkipObjectResolution)
		if err != nil {
			repo.broken = append(repo.broken, syntaxFinding(text.Path, err))
			continue
		}
		repo.Go = append(repo.Go, &GoFile{
			Path: text.Path, Source: text.Data, AST: file, marks: findMarks(repo.Fset, file),
		})
	}
	return repo
}

// line returns the line of a position in its file, from 1.
func (r *Repo) line(pos token.Pos) int { return r.Fset.Position(pos).Line }

// at returns a finding at a position.
func (r *Repo) at(file *GoFile, pos token.Pos, wrong, instead string) Finding {
	return Finding{Path: file.Path, Line: r.line(pos), Wrong: wrong, Instead: instead}
}

// isTest reports whether the file is compiled into tests only.
func (f *GoFile) isTest() bool { return strings.HasSuffix(f.Path, "_test.go") }

// inTestdata reports whether the file lies in a folder called testdata.
func inTestdata(file string) bool {
	return slices.Contains(strings.Split(path.Dir(file), "/"), "testdata")
}

// skipDir reports whether a directory is left out: what others wrote, and what the go
// command ignores.
func skipDir(name string) bool {
	return name == ".git" || name == "vendor" || name == "node_modules" ||
		strings.HasPrefix(name, "_") || strings.HasPrefix(name, ".") && name != ".github"
}

// syntaxFinding returns a finding at the line of the parser's first error.
func syntaxFinding(file string, err error) Finding {
	finding := Finding{Path: file, Line: 1, Wrong: err.Error(), Instead: "make it compile"}
	var list scanner.ErrorList
	if errors.As(err, &list) && len(list) > 0 {
		finding.Line, finding.Wrong = list[0].Pos.Line, list[0].Msg
	}
	return finding
}

// gitFiles returns the files that git tracks or would track. It is nil where there is no
// git or no repository, as in a source archive: then all files count.
func gitFiles(ctx context.Context, root string) map[string]bool {
	command := exec.CommandContext(ctx, "git", "ls-files", "-z", "--cached", "--others", "--exclude-standard")
	command.Dir = root
	out, err := command.Output()
	if err != nil {
		return nil
	}
	known := map[string]bool{}
	for name := range strings.SplitSeq(string(out), "\x00") {
		known[name] = true
	}
	return known
}
