package lint

import (
	"fmt"
	"slices"
)

// maxTracked is the greatest size of a tracked file in bytes. Larger ones stay in the
// history, and every clone downloads them, also when they were deleted.
const maxTracked = 1 << 20

// trackedFiles finds files that are too large or that a compiler made.
func trackedFiles(repo *Repo) []Finding {
	var findings []Finding
	for _, file := range repo.Files {
		if format := executable(file.Head); format != "" {
			findings = append(findings, Finding{
				Path: file.Path, Line: 1,
				Wrong:   "a compiled program or library (" + format + ")",
				Instead: "git rm it, add it to .gitignore, and let make build it",
			})
			continue
		}
		if file.Size > maxTracked {
			findings = append(findings, Finding{
				Path: file.Path, Line: 1,
				Wrong:   fmt.Sprintf("%d bytes; a tracked file has at most %d", file.Size, maxTracked),
				Instead: "make it smaller, make it in a test, or fetch it by hash",
			})
		}
	}
	return findings
}

// executable returns the format of a compiled file by its first bytes; empty for other
// files. It does not go by the name or the mode of a file: a program that was built into
// the wrong folder has any name.
func executable(head string) string {
	macho := []string{
		// The magic numbers of Mach-O in both byte orders, for 32 and 64 bits, and of
		// universal binaries, which Java classes share.
		"\xfe\xed\xfa\xce", "\xfe\xed\xfa\xcf", "\xce\xfa\xed\xfe", "\xcf\xfa\xed\xfe", "\xca\xfe\xba\xbe",
	}
	switch {
	case head == "\x7fELF":
		return "ELF"
	case slices.Contains(macho, head):
		return "Mach-O or Java class"
	case len(head) >= 2 && head[:2] == "MZ":
		return "Windows"
	case head == "!<ar":
		return "archive of object files"
	case head == "\x00asm":
		return "WebAssembly"
	}
	return ""
}
