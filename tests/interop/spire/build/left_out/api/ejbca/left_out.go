// Package ejbca stands in for a client that is not needed here: SPIRE's plugin
// for EJBCA compiles against it, and refuses to start.
package ejbca

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"net/http"
)

var errLeftOut = errors.New("the EJBCA plugin is left out of this build")

// Authenticator is never made.
type Authenticator interface{ leftOut() }

// MTLSAuthenticatorBuilder builds nothing.
type MTLSAuthenticatorBuilder struct{}

// NewMTLSAuthenticatorBuilder is the first thing that the plugin asks for.
func NewMTLSAuthenticatorBuilder() *MTLSAuthenticatorBuilder { return &MTLSAuthenticatorBuilder{} }

// WithClientCertificate keeps nothing.
func (b *MTLSAuthenticatorBuilder) WithClientCertificate(*tls.Certificate) *MTLSAuthenticatorBuilder {
	return b
}

// WithCaCertificates keeps nothing.
func (b *MTLSAuthenticatorBuilder) WithCaCertificates([]*x509.Certificate) *MTLSAuthenticatorBuilder {
	return b
}

// Build always fails.
func (b *MTLSAuthenticatorBuilder) Build() (Authenticator, error) { return nil, errLeftOut }

// Configuration is never used.
type Configuration struct{ Host string }

// NewConfiguration is empty.
func NewConfiguration() *Configuration { return &Configuration{} }

// SetAuthenticator keeps nothing.
func (c *Configuration) SetAuthenticator(Authenticator) {}

// CertificateAPI is never reached.
type CertificateAPI struct{}

// APIClient is never made.
type APIClient struct{ V1CertificateApi *CertificateAPI }

// NewAPIClient always fails.
func NewAPIClient(*Configuration) (*APIClient, error) { return nil, errLeftOut }

// EnrollPkcs10Certificate is never reached.
func (a *CertificateAPI) EnrollPkcs10Certificate(context.Context) ApiEnrollPkcs10CertificateRequest {
	return ApiEnrollPkcs10CertificateRequest{}
}

// ApiEnrollPkcs10CertificateRequest is never sent.
type ApiEnrollPkcs10CertificateRequest struct{}

// EnrollCertificateRestRequest keeps nothing.
func (r ApiEnrollPkcs10CertificateRequest) EnrollCertificateRestRequest(EnrollCertificateRestRequest) ApiEnrollPkcs10CertificateRequest {
	return r
}

// Execute always fails.
func (r ApiEnrollPkcs10CertificateRequest) Execute() (*CertificateRestResponse, *http.Response, error) {
	return nil, nil, errLeftOut
}

// EnrollCertificateRestRequest keeps nothing.
type EnrollCertificateRestRequest struct{}

// NewEnrollCertificateRestRequest is empty.
func NewEnrollCertificateRestRequest() *EnrollCertificateRestRequest {
	return &EnrollCertificateRestRequest{}
}

func (r *EnrollCertificateRestRequest) SetUsername(string)                 {}
func (r *EnrollCertificateRestRequest) SetPassword(string)                 {}
func (r *EnrollCertificateRestRequest) SetCertificateRequest(string)       {}
func (r *EnrollCertificateRestRequest) SetCertificateAuthorityName(string) {}
func (r *EnrollCertificateRestRequest) SetCertificateProfileName(string)   {}
func (r *EnrollCertificateRestRequest) SetEndEntityProfileName(string)     {}
func (r *EnrollCertificateRestRequest) SetIncludeChain(bool)               {}
func (r *EnrollCertificateRestRequest) SetAccountBindingId(string)         {}

// CertificateRestResponse is never answered.
type CertificateRestResponse struct{ CertificateChain []string }

// GetResponseFormat is empty.
func (r *CertificateRestResponse) GetResponseFormat() string { return "" }

// GetCertificate is empty.
func (r *CertificateRestResponse) GetCertificate() string { return "" }

// GenericOpenAPIError is never raised.
type GenericOpenAPIError struct{}

func (e GenericOpenAPIError) Error() string { return errLeftOut.Error() }

// Body is empty.
func (e GenericOpenAPIError) Body() []byte { return nil }
