package egress

import "net/netip"

// reserved are networks that are not the public internet, beside those that netip knows:
// of the registries of special-purpose addresses (RFC 6890). The forms that carry an IPv4
// address inside an IPv6 one can lead to any address, and are refused as a whole.
//
//nudge:constant read only
var reserved = []struct{ network, kind string }{
	{"0.0.0.0/8", "of this network"},
	{"100.64.0.0/10", "shared by a provider (CGNAT)"},
	{"192.0.0.0/24", "reserved"},
	{"192.0.2.0/24", "for documentation"},
	{"192.88.99.0/24", "reserved"},
	{"198.18.0.0/15", "for benchmarks"},
	{"198.51.100.0/24", "for documentation"},
	{"203.0.113.0/24", "for documentation"},
	{"240.0.0.0/4", "reserved"},
	{"::/96", "an IPv4 address in another form"},
	{"::ffff:0:0:0/96", "an IPv4 address in another form (SIIT)"},
	{"64:ff9b::/96", "an IPv4 address in another form (NAT64)"},
	{"64:ff9b:1::/48", "an IPv4 address in another form (NAT64)"},
	{"100::/64", "discarded"},
	{"2001::/23", "reserved"},
	{"2001:db8::/32", "for documentation"},
	{"2002::/16", "an IPv4 address in another form (6to4)"},
	{"3fff::/20", "for documentation"},
	{"5f00::/16", "reserved"},
	{"fec0::/10", "private"},
}

// special returns what an address is that is not public, as it reads after "is"; "" for a
// public one.
func special(addr netip.Addr) string {
	switch {
	case !addr.IsValid():
		return "no address"
	case addr.IsUnspecified():
		return "unspecified"
	case addr.IsLoopback():
		return "loopback"
	case addr.IsPrivate():
		return "private"
	case addr.IsLinkLocalUnicast():
		return "link-local"
	case addr.IsMulticast():
		return "multicast"
	}
	for _, r := range reserved {
		if netip.MustParsePrefix(r.network).Contains(addr) {
			return r.kind
		}
	}
	return ""
}
