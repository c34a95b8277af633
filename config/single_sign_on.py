"""The settings of the company's OpenID provider; a part of `config.settings_table`."""

from config.parsers import flag, group_roles, text, url
from config.setting import Setting

SINGLE_SIGN_ON = (
    Setting(
        "OIDC_ISSUER",
        "",
        "The company's OpenID provider, by whom people sign in beside passwords: its issuer, an address; empty means"
        " none.",
        url("http", "https"),
    ),
    Setting("OIDC_CLIENT_ID", "", "What the provider calls this app.", text),
    Setting("OIDC_CLIENT_SECRET", "", "The secret that the provider gave this app.", text, secret=True),
    Setting("OIDC_NAME", "single sign-on", "How the provider is called on the sign-in page.", text),
    Setting(
        "OIDC_SCOPES",
        "openid email profile",
        "What is asked of the provider; some send groups for one of their own.",
        text,
    ),
    Setting("OIDC_GROUP_CLAIM", "groups", "The claim that holds a person's groups, also within another (a.b).", text),
    Setting(
        "OIDC_ROLES",
        "",
        "Which group gives which role: group=role with commas between them; * is everybody whom the provider knows.",
        group_roles,
    ),
    Setting(
        "OIDC_ONLY",
        "off",
        "Whether passwords are switched off and everybody signs in by the provider, on or off.",
        flag,
    ),
)
