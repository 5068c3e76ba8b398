package unit

import "time"

// FormatTime writes an instant as RFC 3339 in UTC, with milliseconds only when
// they are not zero; empty for 0.
func FormatTime(ms int64) string {
	if ms == 0 {
		return ""
	}
	t := time.UnixMilli(ms).UTC()
	if ms%1000 == 0 {
		return t.Format("2006-01-02T15:04:05Z")
	}
	return t.Format("2006-01-02T15:04:05.000Z")
}
