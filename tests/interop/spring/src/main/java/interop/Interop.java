// SPDX-License-Identifier: Apache-2.0
package interop;

import java.util.ArrayList;
import java.util.List;
import org.springframework.security.oauth2.client.endpoint.OAuth2ClientCredentialsGrantRequest;
import org.springframework.security.oauth2.client.endpoint.RestClientClientCredentialsTokenResponseClient;
import org.springframework.security.oauth2.client.registration.ClientRegistration;
import org.springframework.security.oauth2.core.AuthorizationGrantType;
import org.springframework.security.oauth2.core.ClientAuthenticationMethod;
import org.springframework.security.oauth2.core.OAuth2AuthorizationException;
import org.springframework.security.oauth2.jwt.Jwt;
import org.springframework.security.oauth2.jwt.JwtClaimValidator;
import org.springframework.security.oauth2.jwt.JwtException;
import org.springframework.security.oauth2.jwt.JwtValidators;
import org.springframework.security.oauth2.jwt.NimbusJwtDecoder;
import org.springframework.web.client.RestClient;

/** Spring Security, unmodified: its client gets a token, and its resource server's decoders judge it. */
public final class Interop {
    private static final String SERVER = System.getenv("SERVER");
    private static final String ID = System.getenv("OAUTH_CLIENT_ID");
    private static final String SECRET = System.getenv("OAUTH_CLIENT_SECRET");

    private interface Check {
        void run() throws Exception;
    }

    private final List<String> failed = new ArrayList<>();

    private void check(String name, Check check) {
        try {
            check.run();
            System.out.println("ok " + name);
        } catch (Exception error) {
            System.out.println("not ok " + name + ": " + error);
            failed.add(name);
        }
    }

    private static void expect(boolean isTrue, String otherwise) {
        if (!isTrue)
            throw new IllegalStateException(otherwise);
    }

    private static String token(ClientAuthenticationMethod method, String secret) {
        ClientRegistration registration = ClientRegistration.withRegistrationId("postern")
            .clientId(ID)
            .clientSecret(secret)
            .clientAuthenticationMethod(method)
            .authorizationGrantType(AuthorizationGrantType.CLIENT_CREDENTIALS)
            .tokenUri(SERVER + "/oauth2/token")
            .build();
        return new RestClientClientCredentialsTokenResponseClient()
            .getTokenResponse(new OAuth2ClientCredentialsGrantRequest(registration))
            .getAccessToken()
            .getTokenValue();
    }

    private static void useToken(ClientAuthenticationMethod method) {
        RestClient.create().get().uri(SERVER + "/v2/corpora")
            .headers(headers -> headers.setBearerAuth(token(method, SECRET)))
            .retrieve().toBodilessEntity();
    }

    private static void wrongSecret(ClientAuthenticationMethod method) {
        try {
            token(method, "wrong");
            throw new IllegalStateException("a token was given");
        } catch (OAuth2AuthorizationException error) {
            // Spring takes the error code of a 400 only; of a 401 it keeps the answer in its message.
            expect(error.getMessage().contains("401") && error.getMessage().contains("\"invalid_client\""), error.toString());
        }
    }

    /** The decoder of a resource server for the built-in API, with the validator that RFC 9068 asks for. */
    private static NimbusJwtDecoder decoder(String audience) {
        NimbusJwtDecoder decoder = NimbusJwtDecoder.withIssuerLocation(SERVER).validateType(false).build();
        decoder.setJwtValidator(JwtValidators.createAtJwtValidator().issuer(SERVER).audience(audience).clientId(ID).build());
        return decoder;
    }

    private static void refused(NimbusJwtDecoder decoder, String token) {
        try {
            decoder.decode(token);
        } catch (JwtException error) {
            return;
        }
        throw new IllegalStateException("it was taken");
    }

    private int run() {
        check("client_secret_basic", () -> useToken(ClientAuthenticationMethod.CLIENT_SECRET_BASIC));
        check("client_secret_post", () -> useToken(ClientAuthenticationMethod.CLIENT_SECRET_POST));
        check("a wrong secret by client_secret_basic", () -> wrongSecret(ClientAuthenticationMethod.CLIENT_SECRET_BASIC));
        check("a wrong secret by client_secret_post", () -> wrongSecret(ClientAuthenticationMethod.CLIENT_SECRET_POST));
        String token = token(ClientAuthenticationMethod.CLIENT_SECRET_BASIC, SECRET);
        check("the at+jwt validator takes a token", () -> {
            Jwt jwt = decoder(SERVER + "/v2").decode(token);
            expect(ID.equals(jwt.getSubject()), "sub is " + jwt.getSubject());
        });
        check("so does one without a rule for the client", () -> {
            NimbusJwtDecoder decoder = NimbusJwtDecoder.withIssuerLocation(SERVER).validateType(false).build();
            decoder.setJwtValidator(JwtValidators.createAtJwtValidator().issuer(SERVER).audience(SERVER + "/v2")
                .validators(rules -> rules.put("client_id", new JwtClaimValidator<String>("client_id", id -> id != null))).build());
            decoder.decode(token);
        });
        check("it refuses another audience", () -> refused(decoder("https://other.example"), token));
        check("it refuses a changed token", () -> {
            int at = token.lastIndexOf('.') + 1;
            refused(decoder(SERVER + "/v2"), token.substring(0, at) + (token.charAt(at) == 'A' ? 'B' : 'A') + token.substring(at + 1));
        });
        // What users meet first: its default wants typ JWT, or none.
        check("the default validator refuses at+jwt", () -> refused(NimbusJwtDecoder.withIssuerLocation(SERVER).build(), token));
        return failed.isEmpty() ? 0 : 1;
    }

    public static void main(String[] arguments) {
        System.exit(new Interop().run());
    }
}
