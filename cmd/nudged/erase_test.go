package main_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"
)

// A customer is erased, with the anonymous one who became them: nothing of them is in the
// state or in ClickHouse, what waited is not sent, later events are dropped, also after a
// crash, and others lose nothing.
func TestErase(t *testing.T) {
	hook := newReceiver(t)
	definitions := strings.Replace(mergeDefinitions(hook.URL), "delay: 1s", "delay: 4s", 1)
	s := newServer(t, definitions, "NUDGE_SNAPSHOT_EVERY=300ms", "NUDGE_PARTITIONS=4")
	s.start()
	s.ready()
	client := &http.Client{Timeout: 30 * time.Second}
	send := func(calls ...map[string]any) {
		t.Helper()
		if status, err := s.post(client, calls); err != nil || status != http.StatusOK {
			t.Fatalf("status %d, error %v", status, err)
		}
	}
	track := func(field, who, event string) map[string]any {
		return map[string]any{"type": "track", field: who, "event": event, "properties": map[string]any{"n": 1}}
	}
	send(track("anonymousId", "phone-of-secret", "Cart"), track("userId", "ann", "Cart"), track("userId", "o'hara", "Visit"))
	send(map[string]any{
		"type": "identify", "userId": "secret-name", "anonymousId": "phone-of-secret",
		"traits": map[string]any{"mail": "secret-mail"},
	})
	s.eventually(30*time.Second, "merged", func() error {
		text, err := s.look("/v1/customers/secret-name")
		if err == nil && !strings.Contains(text, `"merged_from"`) {
			err = errNotYet
		}
		return err
	})
	s.wantRows(30*time.Second, 3, "SELECT count() FROM nudge.events WHERE customer LIKE '%secret%'")

	if status := s.delete("anon:phone-of-secret"); status != http.StatusConflict {
		t.Errorf("one who became another can be erased alone: status %d", status)
	}
	admin := "--admin=" + s.admin
	var receipt struct {
		Hash         string     `json:"hash"`
		Done         bool       `json:"done"`
		Recorded     *time.Time `json:"recorded"`
		StateRemoved *time.Time `json:"state_removed"`
		RowsDeleted  *time.Time `json:"rows_deleted"`
		LogGoneBy    *time.Time `json:"log_gone_by"`
	}
	first := s.nudge("erase", admin, "secret-name")
	if err := json.Unmarshal([]byte(first), &receipt); err != nil || !receipt.Done || len(receipt.Hash) != 64 ||
		receipt.Recorded == nil || receipt.StateRemoved == nil || receipt.RowsDeleted == nil ||
		receipt.LogGoneBy.Before(receipt.RowsDeleted.Add(23*time.Hour)) || strings.Contains(first, "secret") {
		t.Fatalf("unexpected receipt %s, error %v", first, err)
	}
	forgotten := func() {
		t.Helper()
		for _, table := range []string{"events", "deliveries", "decisions", "chain_states", "goals", "dead_letters"} {
			s.wantRows(time.Second, 0, fmt.Sprintf("SELECT count() FROM nudge.%s WHERE customer LIKE '%%secret%%'", table))
		}
		for _, id := range []string{"secret-name", "anon:phone-of-secret"} {
			if text, err := s.look("/v1/customers/" + id); err == nil {
				t.Errorf("there still is %s", text)
			}
		}
	}
	forgotten()
	if status := s.delete("anon:phone-of-secret"); status != http.StatusAccepted { // gone: she can be erased once more
		t.Errorf("unexpected status %d", status)
	}
	send(track("userId", "secret-name", "Cart"), track("anonymousId", "phone-of-secret", "Cart"), track("userId", "ann", "Visit"))
	if status := s.delete("o'hara"); status != http.StatusAccepted {
		t.Errorf("unexpected status %d", status)
	}
	s.eraseLatecomer(track("anonymousId", "tablet-of-secret", "Visit"), send)
	s.kill() // the erasure was taken and is carried through
	s.start()
	s.ready()
	if text := s.nudge("erase", admin, "o'hara"); !strings.Contains(text, `"done": true`) {
		t.Errorf("unexpected receipt %s", text)
	}
	s.wantRows(time.Second, 0, "SELECT count() FROM nudge.events WHERE customer LIKE 'o%'")
	send(track("userId", "secret-name", "Visit"))
	s.wantRows(30*time.Second, 2, "SELECT count() FROM nudge.events WHERE customer = 'ann'")
	s.eventually(30*time.Second, "counted", func() error {
		text, err := s.look("/metrics")
		if err == nil && !strings.Contains(text, `nudge_erased_events_total{partition="2"} 1`+"\n") {
			err = fmt.Errorf("unexpected metrics %s", text)
		}
		return err
	})
	s.wantRows(30*time.Second, 1, "SELECT count() FROM nudge.deliveries WHERE status = 'sent'")
	forgotten()
	if again := s.nudge("erase", admin, "secret-name"); again != first {
		t.Errorf("the second receipt is %s; want %s", again, first)
	}
	s.stop()
	checkSends(t, hook, 1)
	t.Log(s.nudge("verify", "--data", s.data))
}

// eraseLatecomer has an anonymous customer become one who was erased before: they are
// erased on their own.
func (s *server) eraseLatecomer(visit map[string]any, send func(calls ...map[string]any)) {
	s.t.Helper()
	send(visit)
	send(map[string]any{"type": "identify", "userId": "secret-name", "anonymousId": "tablet-of-secret"})
	s.eventually(30*time.Second, "merged", func() error {
		text, err := s.look("/v1/customers/anon:tablet-of-secret")
		if err == nil && !strings.Contains(text, `"merged_into": "secret-name"`) {
			err = errNotYet
		}
		return err
	})
	if text := s.nudge("erase", "--admin="+s.admin, "anon:tablet-of-secret"); !strings.Contains(text, `"done": true`) {
		s.t.Errorf("unexpected receipt %s", text)
	}
}

// delete asks the server to erase a customer.
func (s *server) delete(customer string) (status int) {
	s.t.Helper()
	response, err := s.request(http.MethodDelete, "/v1/customers/"+url.PathEscape(customer), nil)
	if err != nil {
		s.t.Fatal(err)
	}
	if err := response.Body.Close(); err != nil {
		s.t.Fatal(err)
	}
	return response.StatusCode
}
