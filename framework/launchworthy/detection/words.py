"""Which words make a name sensitive, and which make it harmless? Data only; `names` reads them."""


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


PASSWORDS = _words(
    "password passwords passwd passwds passwort passphrase passcode pwd psw pswd kennwort senha "
    "contrasena motdepasse requirepass masterauth bindpw rootpw dbpw adminpw userpw psk "
    "storepass keypass"
)
"""A last word that promises a password."""

PASSWORD_OWNERS = _words(
    "db database mysql mariadb pg postgres postgresql mongo mongodb mssql oracle redis valkey rabbit "
    "rabbitmq amqp kafka user usr admin root smtp imap pop email mail ftp sftp ssh proxy ldap bind auth "
    "login basic http https keystore truststore keytool sudo su wifi vpn app api svc registry docker sql "
    "elastic es jdbc master encryption service account grafana postfix jenkins"
)
"""Whose `pass` or `pw` is a password (`SMTP_PASS`; not `render_pass`)."""

SECRETS = _words(
    "secret secrets token authtoken accesstoken apitoken bearertoken clientsecret appsecret jwt bearer "
    "pat credential credentials creds cred authorization authkey"
)
"""A last word that promises a secret, a token or credentials."""

GLUED_KEYS = _words(
    "apikey apikeys secretkey accesskey privatekey privkey authkey masterkey sshkey signingkey "
    "encryptionkey accountkey sharedkey storagekey appkey servicekey rootkey cryptokey deploykey adminkey"
)
"""Keys that open something, written as one word."""

KEY_PURPOSES = _words(
    "api secret private priv access auth account encryption encrypt decryption signing sign master "
    "storage license service deploy admin app application consumer subscription shared session webhook "
    "cookie hmac aes rsa ecdsa ed25519 ssh tls ssl crypt crypto cipher fernet root client write ingest "
    "ingestion integration security instrumentation functions tenant"
)
"""What a key opens, before the word `key`."""

KEY_SELLERS = _words(
    "openai anthropic claude stripe sendgrid aws azure gcp google github gitlab bitbucket twilio mailgun "
    "mailchimp postmark resend datadog dd sentry algolia cohere groq mistral tavily brave exa serp "
    "serpapi serper pinecone weaviate qdrant supabase firebase airtable notion slack discord telegram "
    "linear jira confluence atlassian figma huggingface hf replicate deepseek perplexity pplx gemini xai "
    "grok openrouter elevenlabs deepgram assemblyai voyage jina together fireworks cerebras langsmith "
    "langchain langfuse wandb cloudflare fastly vercel netlify heroku digitalocean linode vultr hetzner "
    "scaleway newrelic honeycomb grafana pagerduty opsgenie rollbar bugsnag segment mixpanel amplitude "
    "posthog launchdarkly okta auth0 clerk plaid paypal square braintree adyen razorpay shopify hubspot "
    "salesforce zendesk intercom asana clickup trello monday dropbox box contentful sanity mapbox maps "
    "weather openweather newsapi alphavantage polygon finnhub coinbase binance alchemy infura etherscan "
    "snyk sonar codecov circleci buildkite jenkins artifactory jfrog nuget npm pypi rubygems docker vault "
    "consul nomad tailscale ngrok composio firecrawl browserbase context7"
)
"""Who sold a key, before the word `key`."""

WEAK = _words(
    "key pass pw salt pepper seed dsn webhook nonce otp totp pin mnemonic conn connection "
    "connectionstring cert cookie auth session sessionid sid tokens sas oauth login"
)
"""A last word under which only a generated value is a secret."""

GENERIC_TAILS = _words(
    "value values val default defaults data string str text literal plain plaintext raw current new old "
    "prod production staging stage dev development test testing live sandbox main primary secondary "
    "backup legacy b64 base64 encoded content contents base"
)
"""Last words that say nothing (`DB_PASSWORD_PRODUCTION`)."""

HARMLESS_BEFORE = {
    "token": _words(
        "next page pagination continuation sync cursor pad eos bos unk mask sep cls stop special max min "
        "total prompt completion input output csrf xsrf cancellation cancel idempotency syntax lexer parser "
        "ast current start end first last prev previous image number num string operator keyword comment "
        "delimiter header type expected unexpected lookahead no lock change request action product copy task "
        "resume waiter starting upload subject"
    ),
    "key": _words(
        "public pub publishable primary foreign partition sort cache routing row hash range object s3 unique "
        "composite natural surrogate index map dict group host hot arrow enter config setting shortcut event "
        "lookup join merge order bucket i18n translation label annotation node tree site vapid anon metadata "
        "context attr attribute column property sequence function any some tab shift press sentry"
    ),
    "pass": _words("by first second multi single one two render low high all band boarding over under"),
}
"""What makes a token, a key or a pass harmless: `next_token`, `primary_key`, `first_pass`."""

ENCRYPTED = _words("encrypted ciphertext sealed cipher enc")
"""Words that say that the value was encrypted."""
