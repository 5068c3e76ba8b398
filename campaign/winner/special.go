package winner

import "math"

// When the series and continued fractions below stop. For the arguments of experiments they converge in
// far fewer iterations.
const (
	// maxTurns is the number of iterations after which one that does not converge ends.
	maxTurns = 10_000
	// precision is the relative change below which an iteration has converged: a few units in the last
	// place of a double.
	precision = 1e-15
	// tiny replaces a denominator of 0 in Lentz's method.
	tiny = 1e-300
)

// density returns the density of the distribution Beta(a, b) at x. It computes with logarithms, because
// the powers of large counts leave the range of a double.
func density(x, a, b float64) float64 {
	if x <= 0 || x >= 1 {
		switch { // the ends have a density only where the parameter is one
		case x <= 0 && a == 1:
			return b
		case x >= 1 && b == 1:
			return a
		}
		return 0
	}
	return math.Exp((a-1)*math.Log(x) + (b-1)*math.Log1p(-x) - logBeta(a, b))
}

// logBeta returns the logarithm of the beta function, which normalises the density.
func logBeta(a, b float64) float64 { return logGamma(a) + logGamma(b) - logGamma(a+b) }

// logGamma returns the logarithm of the gamma function, for x > 0 where its sign is positive.
func logGamma(x float64) float64 {
	v, _ := math.Lgamma(x)
	return v
}

// lowerBeta returns the probability that a Beta(a, b) variable is below x: the regularised incomplete
// beta function I_x(a, b). It evaluates the continued fraction of DLMF 8.17.22 by the modified method
// of Lentz.
func lowerBeta(x, a, b float64) float64 {
	switch {
	case x <= 0:
		return 0
	case x >= 1:
		return 1
	// The fraction converges fast below the mean; above it the symmetry I_x(a, b) = 1 - I_1-x(b, a) is
	// used.
	case x > (a+1)/(a+b+2):
		return 1 - lowerBeta(1-x, b, a)
	}
	front := math.Exp(a*math.Log(x)+b*math.Log1p(-x)-logBeta(a, b)) / a
	// Lentz's method.
	c, d := 1.0, 1/atLeast(1-(a+b)*x/(a+1))
	h := d
	for m := 1.0; m < maxTurns; m++ {
		step := m * (b - m) * x / ((a + 2*m - 1) * (a + 2*m))
		d, c = 1/atLeast(1+step*d), atLeast(1+step/c)
		h *= d * c
		step = -(a + m) * (a + b + m) * x / ((a + 2*m) * (a + 2*m + 1))
		d, c = 1/atLeast(1+step*d), atLeast(1+step/c)
		h *= d * c
		if math.Abs(d*c-1) < precision {
			break
		}
	}
	return front * h
}

// atLeast returns v, or tiny where v is so near to 0 that it must not be divided by.
func atLeast(v float64) float64 {
	if math.Abs(v) < tiny {
		return tiny
	}
	return v
}

// upperGamma returns the regularised upper incomplete gamma function Q(a, x), for a > 0: the
// probability that a chi-square variable with 2a degrees of freedom is above 2x.
func upperGamma(a, x float64) float64 {
	if x <= 0 {
		return 1
	}
	front := math.Exp(a*math.Log(x) - x - logGamma(a))
	if x < a+1 { // the series of P = 1 - Q
		sum, term := 1/a, 1/a
		for n := 1.0; n < maxTurns && term > sum*precision; n++ {
			term *= x / (a + n)
			sum += term
		}
		return 1 - front*sum
	}
	// The continued fraction of Q, which converges fast for x > a+1, again by Lentz's method.
	b := x + 1 - a
	c, d := 1/tiny, 1/atLeast(b)
	h := d
	for n := 1.0; n < maxTurns; n++ {
		b += 2
		step := -n * (n - a)
		d, c = 1/atLeast(step*d+b), atLeast(b+step/c)
		h *= d * c
		if math.Abs(d*c-1) < precision {
			break
		}
	}
	return front * h
}
