package storage

import "errors"

// errEnough ends a scan that has found what it looked for.
var errEnough = errors.New("storage: enough")

// CustomersAfter returns the ids of the first n customers of a workspace after an id, in
// byte order; the id "" is before all. Fewer than n mean that there are no more.
func CustomersAfter(s Store, partition int, workspace, after string, n int) ([]string, error) {
	var ids []string
	prefix := CustomerKey(partition, workspace, "")
	err := s.ScanAfter(prefix, CustomerKey(partition, workspace, after), func(key, _ []byte) error {
		if len(ids) == n {
			return errEnough
		}
		ids = append(ids, string(key[len(prefix):]))
		return nil
	})
	if errors.Is(err, errEnough) {
		err = nil
	}
	return ids, err
}
