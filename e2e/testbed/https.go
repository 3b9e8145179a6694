package testbed

import (
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"
)

// Client speaks HTTPS with a server that it knows by one root alone, or by
// every certificate of a CA file.
type Client struct {
	Root        *x509.Certificate
	Roots       []*x509.Certificate // instead of Root
	Certificate *tls.Certificate    // shown to the server, even when the server does not ask for its issuer; nil: none
	Header      http.Header         // sent with every request
	HTTP1       bool                // no HTTP/2, which etcd offers to its peers and does not speak
}

// Answer is what a server said.
type Answer struct {
	Status int
	Body   []byte
	TLS    *tls.ConnectionState
}

// Do sends one request on a connection of its own.
func (c Client) Do(method, url, body string) (Answer, error) {
	anchors := c.Roots
	if anchors == nil {
		anchors = []*x509.Certificate{c.Root}
	}
	config := &tls.Config{RootCAs: Pool(anchors...), MinVersion: tls.VersionTLS12}
	if c.Certificate != nil {
		// Not Certificates: Go would keep a certificate to itself whose issuer is
		// not among those that the server names.
		config.GetClientCertificate = func(*tls.CertificateRequestInfo) (*tls.Certificate, error) { return c.Certificate, nil }
	}
	client := &http.Client{
		Timeout:   15 * time.Second,
		Transport: &http.Transport{TLSClientConfig: config, DisableKeepAlives: true, ForceAttemptHTTP2: !c.HTTP1},
	}
	request, err := http.NewRequest(method, url, strings.NewReader(body))
	if err != nil {
		return Answer{}, err
	}
	if body != "" {
		request.Header.Set("Content-Type", "application/json")
	}
	for name, values := range c.Header {
		request.Header[name] = values
	}
	response, err := client.Do(request)
	if err != nil {
		return Answer{}, err
	}
	defer response.Body.Close()
	data, err := io.ReadAll(response.Body)
	return Answer{Status: response.StatusCode, Body: data, TLS: response.TLS}, err
}

// Get asks for a page; every status but 200 is an error.
func (c Client) Get(url string) (Answer, error) {
	answer, err := c.Do(http.MethodGet, url, "")
	if err == nil && answer.Status != http.StatusOK {
		err = fmt.Errorf("GET %s: status %d: %s", url, answer.Status, first(answer.Body, 200))
	}
	return answer, err
}

// User is who a kube-apiserver took a client for; Name is empty when it knew
// nobody.
type User struct {
	Name   string   `json:"username"`
	Groups []string `json:"groups"`
}

// WhoAmI asks a kube-apiserver (or k3s in front of it) by SelfSubjectReview. A
// refused handshake and status 401 both are nobody; the error then says why.
func (c Client) WhoAmI(server string) (User, error) {
	answer, err := c.Do(http.MethodPost, server+"/apis/authentication.k8s.io/v1/selfsubjectreviews",
		`{"apiVersion":"authentication.k8s.io/v1","kind":"SelfSubjectReview"}`)
	if err != nil {
		return User{}, err
	}
	if answer.Status != http.StatusCreated {
		return User{}, fmt.Errorf("status %d: %s", answer.Status, first(answer.Body, 200))
	}
	var review struct {
		Status struct {
			UserInfo User `json:"userInfo"`
		} `json:"status"`
	}
	err = json.Unmarshal(answer.Body, &review)
	return review.Status.UserInfo, err
}

// LoadPair reads a certificate with its chain and key, without the endings.
func LoadPair(t testing.TB, path string) *tls.Certificate {
	t.Helper()
	pair, err := tls.LoadX509KeyPair(path+".crt", path+".key")
	if err != nil {
		t.Fatalf("%s: %v", path, err)
	}
	return &pair
}

// Bare is the pair without the chain behind its certificate.
func Bare(pair tls.Certificate) *tls.Certificate {
	pair.Certificate = pair.Certificate[:1]
	return &pair
}

func first(text []byte, n int) string {
	if len(text) > n {
		text = text[:n]
	}
	return strings.TrimSpace(string(text))
}
