// SPDX-License-Identifier: Apache-2.0

// Go's x/oauth2 and go-oidc, unmodified: the grant in each style, the token checked, and used.
package main

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"os"

	"github.com/coreos/go-oidc/v3/oidc"
	"golang.org/x/oauth2"
	"golang.org/x/oauth2/clientcredentials"
)

var (
	server = os.Getenv("SERVER")
	id     = os.Getenv("OAUTH_CLIENT_ID")
	secret = os.Getenv("OAUTH_CLIENT_SECRET")
)

func config(secret string, style oauth2.AuthStyle, parameters url.Values) *clientcredentials.Config {
	return &clientcredentials.Config{
		ClientID: id, ClientSecret: secret, TokenURL: server + "/oauth2/token", AuthStyle: style, EndpointParams: parameters,
	}
}

// useToken lists corpora with a client that fetches its own token.
func useToken(style oauth2.AuthStyle) error {
	reply, err := config(secret, style, nil).Client(context.Background()).Get(server + "/v2/corpora")
	if err != nil {
		return err
	}
	defer reply.Body.Close()
	if reply.StatusCode != http.StatusOK {
		return fmt.Errorf("the API answers %s", reply.Status)
	}
	return nil
}

func expectError(want string, secret string, style oauth2.AuthStyle, parameters url.Values) error {
	_, err := config(secret, style, parameters).Token(context.Background())
	var retrieve *oauth2.RetrieveError
	if !errors.As(err, &retrieve) || retrieve.ErrorCode != want {
		return fmt.Errorf("not %s: %v", want, err)
	}
	return nil
}

// verify finds the keys by the issuer's metadata and checks the token with them.
func verify() error {
	ctx := context.Background()
	provider, err := oidc.NewProvider(ctx, server)
	if err != nil {
		return err
	}
	token, err := config(secret, oauth2.AuthStyleInHeader, url.Values{"resource": {server + "/v2"}}).Token(ctx)
	if err != nil {
		return err
	}
	checked, err := provider.Verifier(&oidc.Config{ClientID: server + "/v2"}).Verify(ctx, token.AccessToken)
	if err != nil {
		return err
	}
	if checked.Subject != id {
		return fmt.Errorf("sub is %q", checked.Subject)
	}
	if _, err := provider.Verifier(&oidc.Config{ClientID: "https://other.example"}).Verify(ctx, token.AccessToken); err == nil {
		return errors.New("another audience is taken")
	}
	return nil
}

func main() {
	checks := []struct {
		name string
		run  func() error
	}{
		{"the style that it finds out", func() error { return useToken(oauth2.AuthStyleAutoDetect) }},
		{"HTTP Basic", func() error { return useToken(oauth2.AuthStyleInHeader) }},
		{"the body", func() error { return useToken(oauth2.AuthStyleInParams) }},
		{"a wrong secret", func() error { return expectError("invalid_client", "wrong", oauth2.AuthStyleInHeader, nil) }},
		{"a wrong secret, both styles tried", func() error { return expectError("invalid_client", "wrong", oauth2.AuthStyleAutoDetect, nil) }},
		{"an unknown resource", func() error {
			return expectError("invalid_target", secret, oauth2.AuthStyleInHeader, url.Values{"resource": {"https://other.example"}})
		}},
		{"go-oidc finds the keys and checks the token", verify},
	}
	failed := false
	for _, check := range checks {
		if err := check.run(); err != nil {
			fmt.Printf("not ok %s: %v\n", check.name, err)
			failed = true
		} else {
			fmt.Printf("ok %s\n", check.name)
		}
	}
	if failed {
		os.Exit(1)
	}
}
