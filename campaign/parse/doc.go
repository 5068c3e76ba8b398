// Package parse reads definitions, YAML or JSON, into programs, and says what is wrong with them
// and where. The schema of the language is drawn from the same readers.
package parse
