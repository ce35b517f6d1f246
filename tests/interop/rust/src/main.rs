// SPDX-License-Identifier: Apache-2.0
//! The oauth2 and jsonwebtoken crates, unmodified: the grant with both kinds of authentication, the token checked, and used.
use jsonwebtoken::{decode, decode_header, jwk::JwkSet, Algorithm, DecodingKey, Validation};
use oauth2::basic::{BasicClient, BasicErrorResponseType};
use oauth2::reqwest::blocking::Client;
use oauth2::{AuthType, ClientId, ClientSecret, RequestTokenError, TokenResponse, TokenUrl};
use serde_json::Value;
use std::{collections::HashMap, env, error::Error, process::exit};

type Outcome = Result<(), Box<dyn Error>>;

struct Server {
    http: Client,
    url: String,
    id: String,
    secret: String,
}

impl Server {
    fn token(&self, auth_type: AuthType, secret: &str) -> Result<String, Box<dyn Error>> {
        let client = BasicClient::new(ClientId::new(self.id.clone()))
            .set_client_secret(ClientSecret::new(secret.to_string()))
            .set_token_uri(TokenUrl::new(format!("{}/oauth2/token", self.url))?)
            .set_auth_type(auth_type);
        match client.exchange_client_credentials().request(&self.http) {
            Ok(token) => Ok(token.access_token().secret().clone()),
            Err(RequestTokenError::ServerResponse(response)) => match response.error() {
                BasicErrorResponseType::InvalidClient => Err("invalid_client".into()),
                other => Err(format!("{other:?}").into()),
            },
            Err(error) => Err(Box::new(error)),
        }
    }

    fn use_token(&self, auth_type: AuthType) -> Outcome {
        let token = self.token(auth_type, &self.secret)?;
        self.http.get(format!("{}/v2/corpora", self.url)).bearer_auth(token).send()?.error_for_status()?;
        Ok(())
    }

    fn wrong_secret(&self, auth_type: AuthType) -> Outcome {
        match self.token(auth_type, "wrong") {
            Err(error) if error.to_string() == "invalid_client" => Ok(()),
            Err(error) => Err(error),
            Ok(_) => Err("a token was given".into()),
        }
    }

    /// Checks the token with the JWK set, as an API would.
    fn verify(&self, audience: &str) -> Outcome {
        let token = self.token(AuthType::BasicAuth, &self.secret)?;
        let keys: JwkSet = serde_json::from_str(&self.http.get(format!("{}/.well-known/jwks.json", self.url)).send()?.text()?)?;
        let kid = decode_header(&token)?.kid.ok_or("no kid")?;
        let mut validation = Validation::new(Algorithm::RS256);
        validation.set_issuer(&[&self.url]);
        validation.set_audience(&[audience]);
        let key = DecodingKey::from_jwk(keys.find(&kid).ok_or("no key of that kid")?)?;
        let claims = decode::<HashMap<String, Value>>(&token, &key, &validation)?.claims;
        match claims.get("sub").and_then(|sub| sub.as_str()) {
            Some(sub) if sub == self.id => Ok(()),
            sub => Err(format!("sub is {sub:?}").into()),
        }
    }
}

fn main() {
    let variable = |name| env::var(name).unwrap_or_default();
    let server = Server { http: Client::new(), url: variable("SERVER"), id: variable("OAUTH_CLIENT_ID"), secret: variable("OAUTH_CLIENT_SECRET") };
    let audience = format!("{}/v2", server.url);
    let checks: [(&str, Outcome); 6] = [
        ("HTTP Basic, its default", server.use_token(AuthType::BasicAuth)),
        ("the body", server.use_token(AuthType::RequestBody)),
        ("a wrong secret by HTTP Basic", server.wrong_secret(AuthType::BasicAuth)),
        ("a wrong secret in the body", server.wrong_secret(AuthType::RequestBody)),
        ("jsonwebtoken checks the token", server.verify(&audience)),
        ("jsonwebtoken refuses another audience", match server.verify("https://other.example") {
            Err(error) if error.to_string().contains("InvalidAudience") => Ok(()),
            other => Err(format!("{other:?}").into()),
        }),
    ];
    let mut failed = false;
    for (name, outcome) in checks {
        match outcome {
            Ok(()) => println!("ok {name}"),
            Err(error) => {
                println!("not ok {name}: {error}");
                failed = true;
            }
        }
    }
    exit(failed.into());
}
