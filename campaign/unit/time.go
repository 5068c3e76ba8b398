package unit

import "time"

// FormatTime writes an instant (ms since the Unix epoch) as RFC 3339 in UTC: "2026-03-01T09:00:00Z".
// Milliseconds are written only where they are not zero. 0 stands for "no instant" and gives an empty
// string.
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
