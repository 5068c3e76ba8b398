package program

import (
	"math"
	"strconv"
	"testing"
)

// Buckets are part of what is stored outside: they must never change. The numbers were
// computed apart, with Python's hashlib.
func TestExperimentBucket(t *testing.T) {
	for _, c := range []struct {
		salt, customer string
		want           int
	}{{"cart/offer", "ann", 165}, {"cart", "bob", 4655}, {"", "", 3192}, {"x/offer", "c1", 8104}} {
		if got := Bucket(c.salt, c.customer); got != c.want {
			t.Errorf("%q %q: %d; want %d", c.salt, c.customer, got, c.want)
		}
	}
}

// The buckets never change: they were computed by other means.
func TestBucket(t *testing.T) {
	// shows: 198
	for _, c := range []struct {
		salt, customer string
		want           int
	}{
		{"cart-abandoned", "ann", 1822},
		{"cart-abandoned", "u-1", 8155},
		{"offer-2", "ann", 9742},
		{"", "", 3192},
	} {
		if got := Bucket(c.salt, c.customer); got != c.want {
			t.Errorf("%q, %q: bucket %d; want %d", c.salt, c.customer, got, c.want)
		}
	}
}

// The share of the held out is the percentage, under every salt; a larger percentage
// only adds customers.
func TestHoldoutShare(t *testing.T) {
	// shows: 198
	const customers = 100_000
	for _, salt := range []string{"cart", "offer-2", "x"} {
		for _, below := range []int{1, 500, 1225, 5000, 10_000} {
			p := &Program{Name: salt, Policy: CampaignPolicy{Holdout: &Holdout{Below: below}}}
			more := &Program{
				Name:   "other",
				Policy: CampaignPolicy{Holdout: &Holdout{Below: min(below+100, Buckets), Salt: salt}},
			}
			held := 0
			for i := range customers {
				id := "customer-" + strconv.Itoa(i)
				if p.HoldsOut(id) {
					held++
					if !more.HoldsOut(id) {
						t.Fatalf("%s: %s is held out at %d and not above", salt, id, below)
					}
				}
			}
			share := float64(below) / Buckets
			if tolerance := 4 * math.Sqrt(
				customers*share*(1-share),
			); math.Abs(
				float64(held)-customers*share,
			) > tolerance {
				t.Errorf("%s: %d of %d are held out; want %v", salt, held, customers, customers*share)
			}
		}
	}
	if (&Program{Name: "c"}).HoldsOut("ann") {
		t.Error("a campaign without a holdout holds out")
	}
}

// Variants take consecutive ranges of buckets in the order written. c3 has bucket 424 in
// x/offer, c4 2913, c2 4669.
func TestVariantRanges(t *testing.T) {
	f := func(customer string, want int, weights ...int) {
		t.Helper()
		x := new(Experiment)
		for _, w := range weights {
			x.Variants = append(x.Variants, Variant{Weight: w})
		}
		if got := x.Assign("x", "offer", customer); got != want {
			t.Errorf("%s, weights %v: variant %d; want %d", customer, weights, got, want)
		}
	}
	f("c3", 0, 425, 9575)
	f("c3", 1, 424, 9576)
	f("c4", 0, 30, 70)
	f("c4", 1, 29, 71)
	f("c2", 1, 1, 1, 1)
	f("c2", 0, 1, 0, 1, 0) // 4669 lies in the first half
}
