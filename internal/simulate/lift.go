package simulate

import "math"

// Lift compares the customers of a campaign whom its messages could reach with those who
// were held out. It counts customers and not chains: the holdout is drawn by customer, so
// two chains of one customer prove less than two customers. Treated has all customers who
// were not held out, whether or not a cap or a missing consent kept messages from them;
// otherwise the two sides would differ in more than the holdout.
type Lift struct {
	Treated Side `json:"treated"`
	HeldOut Side `json:"held_out"`
	// Lift is the difference of the two conversions, from -1 to 1, and Low and High are the
	// ends of its 95 % interval (see Interval), all rounded to six decimals; nil where a
	// side has no customer.
	Lift *float64 `json:"lift"`
	Low  *float64 `json:"low"`
	High *float64 `json:"high"`
}

// Side has the figures of one side of the comparison.
type Side struct {
	// Customers is the number of customers with a chain.
	Customers int `json:"customers"`
	// Converted is the number of customers with a chain that reached the goal.
	Converted int `json:"converted"`
	// Conversion is Converted / Customers, rounded to six decimals; 0 without customers.
	Conversion float64 `json:"conversion"`
	// Revenue is the sum of the values of those goals. Where they have several currencies,
	// Revenues has the sums by currency.
	Revenue  Revenue  `json:"revenue"`
	Revenues Revenues `json:"revenues,omitempty"`
	purse    *Purse
}

// Interval returns the 95 % interval of the difference of two proportions, x of n minus y
// of m; each from -1 to 1. It is the hybrid score interval without continuity correction
// (R. G. Newcombe, Interval estimation for the difference between independent proportions,
// Statistics in Medicine 17, 1998, method 10). It holds for few customers and where none
// converted; the usual normal approximation does not.
//
// 0 <= x <= n, 0 <= y <= m, n > 0 and m > 0 must hold.
func Interval(x, n, y, m int) (low, high float64) {
	p, q := float64(x)/float64(n), float64(y)/float64(m)
	pLow, pHigh := score(p, float64(n))
	qLow, qHigh := score(q, float64(m))
	return p - q - math.Hypot(p-pLow, qHigh-q), p - q + math.Hypot(pHigh-p, q-qLow)
}

// score returns the 95 % score interval of a proportion p of n (E. B. Wilson, Journal of
// the American Statistical Association 22, 1927).
func score(p, n float64) (low, high float64) {
	// z is the point of the normal distribution beyond which 2.5 % lie.
	const z = 1.959963984540054
	middle, half := 2*n*p+z*z, z*math.Sqrt(z*z+4*n*p*(1-p))
	return (middle - half) / (2 * (n + z*z)), (middle + half) / (2 * (n + z*z))
}

// six rounds to six decimals, so that differences between processors in the last bits do
// not show.
func six(v float64) float64 { return math.Round(v*1e6) / 1e6 }

// lifts computes the comparison of each campaign that has a holdout, from all chains.
func (r *Report) lifts() {
	type person struct {
		campaign, customer string
		heldOut            bool
	}
	seen := map[person]bool{} // whether they converted
	for _, c := range r.chains {
		s := r.of(c.Campaign)
		if s.Lift == nil {
			continue
		}
		side := &s.Lift.Treated
		if c.HeldOut {
			side = &s.Lift.HeldOut
		}
		// A customer with several chains counts once.
		who := person{c.Campaign, c.Customer, c.HeldOut}
		converted, known := seen[who]
		if !known {
			side.Customers++
		}
		reached := c.Goal != "" && r.measures(c.Campaign, c.Goal)
		if reached {
			if side.purse == nil {
				side.purse = new(Purse)
			}
			side.purse.Add(c.Currency, c.Value)
			if !converted {
				side.Converted++
			}
		}
		seen[who] = converted || reached
	}
	for _, s := range r.summary {
		if s.Lift != nil {
			s.Lift.close()
		}
	}
}

// close computes the figures of the sides and their difference, when all chains are
// counted.
func (l *Lift) close() {
	for _, side := range []*Side{&l.Treated, &l.HeldOut} {
		if side.Revenue = "0"; side.purse != nil {
			side.Revenue, side.Revenues = side.purse.Figures()
		}
		if side.Customers > 0 {
			side.Conversion = six(float64(side.Converted) / float64(side.Customers))
		}
	}
	a, b := &l.Treated, &l.HeldOut
	if a.Customers == 0 || b.Customers == 0 {
		return
	}
	low, high := Interval(a.Converted, a.Customers, b.Converted, b.Customers)
	lift := six(float64(a.Converted)/float64(a.Customers) - float64(b.Converted)/float64(b.Customers))
	low, high = six(low), six(high)
	l.Lift, l.Low, l.High = &lift, &low, &high
}
