package storage

import "errors"

var errEnough = errors.New("storage: enough")

// CustomersAfter lists the ids of the first n customers of a workspace behind an id, in
// byte order; "" is before all.
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
