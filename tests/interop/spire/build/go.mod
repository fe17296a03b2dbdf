// Builds the pinned SPIRE. Its plugin for EJBCA (an upstream authority that no
// scenario uses) is left out where the Go proxy does not serve its client.
module launchworthy.example/spire

go 1.26.0

require github.com/spiffe/spire v1.15.3

replace github.com/Keyfactor/ejbca-go-client-sdk => ./left_out
