//! What the versions printed when they were asked, and what must be made of it.

use serde_json::json;

use super::*;

fn token() -> Secret {
    Secret::new(format!("sk-ant-oat01-{}", "Ab3".repeat(40)))
}

fn claude(code: i32, stdout: &str, stderr: &str) -> Answer {
    let output = Output {
        code: Some(code),
        stdout,
        stderr,
    };
    Answer::of_claude(output, &token())
}

/// A result of a version that gives a status and the kind of error.
fn newer(status: u16, text: &str) -> Finding {
    let event = json!({
        "type": "result", "subtype": "success", "is_error": true,
        "api_error_status": status, "api_error_type": "some_error", "result": text,
    });
    claude(1, &event.to_string(), "").finding
}

/// A result of a version that gives neither.
fn older(text: &str) -> Finding {
    let event = json!({
        "type": "result", "subtype": "success", "is_error": true, "result": text,
    });
    claude(1, &event.to_string(), "").finding
}

#[test]
fn refusals_are_the_texts_that_were_seen() {
    let refused = Finding::Refused;
    for (text, status, cause) in [
        (
            "OAuth token has expired. Please obtain",
            401,
            Cause::Expired,
        ),
        ("OAuth access token has been revoked", 401, Cause::Revoked),
        ("OAuth token has been revoked. Please", 403, Cause::Revoked),
        ("OAuth access token is invalid.", 401, Cause::UnknownToken),
        ("Invalid bearer token", 401, Cause::UnknownToken),
        (
            "Invalid authentication credentials",
            401,
            Cause::UnknownToken,
        ),
        ("Invalid OAuth token", 401, Cause::UnknownToken),
        (
            "OAuth token does not meet scope requirement user:inference",
            403,
            Cause::WrongScope,
        ),
    ] {
        let prefixed = format!("Failed to authenticate. API Error: {status} {text}");
        assert_eq!(newer(status, &prefixed), refused(cause), "{text}");
        let body = json!({ "type": "error", "error": { "message": text } });
        let raw = format!("API Error: {status} {body} · Please run /login");
        assert_eq!(older(&raw), refused(cause), "{text}");
        // The same words behind another number are somebody else's.
        assert_ne!(older(&format!("API Error: 500 {text}")), refused(cause));
    }
    for text in [
        "OAuth token revoked · Please run /login",
        "Failed to authenticate: OAuth token revoked. Please log in again.",
        "Your account does not have access to Claude. Please login again or contact your \
         administrator.",
    ] {
        assert_eq!(older(text), refused(Cause::Revoked), "{text}");
    }
}

#[test]
fn anything_else_is_unclear() {
    for (status, text, cause) in [
        (
            403,
            "Your organization does not have access to Claude. Please login again or contact your \
             administrator.",
            Cause::OrganizationOff,
        ),
        (
            403,
            "This organization has been disabled.",
            Cause::OrganizationOff,
        ),
        (403, "API Error: 403 Request not allowed", Cause::Region),
        (
            401,
            "API Error: 401 OAuth authentication is currently not supported.",
            Cause::Service,
        ),
        (
            429,
            "You've hit your session limit · resets 8:52pm (UTC)",
            Cause::Busy,
        ),
        (
            429,
            "You've hit your weekly limit · resets Dec 3, 9am",
            Cause::Busy,
        ),
        (
            429,
            "API Error: Server is temporarily limiting requests (not your usage limit)",
            Cause::Overloaded,
        ),
        (529, "API Error: 529 Overloaded", Cause::Overloaded),
        (500, "API Error: 500 Internal server error.", Cause::Service),
        (400, "Credit balance is too low", Cause::Billing),
        (
            404,
            "There's an issue with the selected model (x).",
            Cause::Model,
        ),
        (407, "API Error: 407 status code (no body)", Cause::Proxy),
        (401, "API Error: 401 something new", Cause::Other),
        (403, "Not logged in · Please run /login", Cause::NotTaken),
    ] {
        assert_eq!(newer(status, text), Finding::Unclear(cause), "{text}");
    }
    for (text, cause) in [
        ("API Error: Rate limit reached", Cause::Overloaded),
        (
            "API Error: Unable to connect to API (ECONNREFUSED)",
            Cause::Network,
        ),
        (
            "API Error: Connection refused — a firewall or proxy may be blocking it (ECONNREFUSED)",
            Cause::Network,
        ),
        (
            "API Error: API returned an empty or malformed response (HTTP 200) — check for a proxy",
            Cause::Proxy,
        ),
        ("API Error: Request timed out.", Cause::NoAnswer),
        ("API Error: self-signed certificate in chain", Cause::Tls),
        ("429", Cause::Other),
        ("API Error: 401", Cause::Other),
    ] {
        assert_eq!(older(text), Finding::Unclear(cause), "{text}");
    }
}

#[test]
fn a_page_says_nothing_whatever_its_title() {
    let proxy = Finding::Unclear(Cause::Proxy);
    let page = "API Error: 401 <html><head><title>Invalid bearer token</title></head></html>";
    assert_eq!(older(page), proxy);
    let event = json!({
        "type": "result", "subtype": "success", "is_error": false,
        "result": "<!DOCTYPE html><html>Sign in</html>",
    });
    assert_eq!(claude(0, &event.to_string(), "").finding, proxy);
    // A version that takes a page for an empty answer ends without an error.
    let event = json!({
        "type": "result", "subtype": "error_during_execution", "is_error": false,
    });
    assert_eq!(
        claude(0, &event.to_string(), "").finding,
        Finding::Unclear(Cause::NoResult)
    );
}

#[test]
fn a_token_works_where_everything_says_so() {
    let init = |source: &str| {
        json!({
            "type": "system", "subtype": "init", "apiKeySource": source,
            "claude_code_version": "2.1.332", "model": "claude-haiku",
        })
    };
    let result = json!({
        "type": "result", "subtype": "success", "is_error": false,
        "api_error_status": null, "result": "ok",
    });
    let stdout = |source| format!("{}\n{result}\n", init(source));
    let answer = claude(0, &stdout("none"), "");
    assert_eq!(answer.finding, Finding::Works);
    assert_eq!(answer.claude_version.as_deref(), Some("2.1.332"));
    assert_eq!(answer.model.as_deref(), Some("claude-haiku"));
    assert_eq!(answer.said, None);
    assert_eq!(claude(0, &result.to_string(), "").finding, Finding::Works);
    assert_eq!(
        claude(0, &stdout("apiKeyHelper"), "").finding,
        Finding::Unclear(Cause::OtherCredential)
    );
    assert_ne!(claude(1, &stdout("none"), "").finding, Finding::Works);
}

#[test]
fn without_a_result_the_text_decides() {
    for (code, stdout, stderr, cause) in [
        (1, "", "error: unknown option '--tools'\n", Cause::OldClaude),
        (
            1,
            "",
            "Unable to verify organization for the current authentication token.\n",
            Cause::OrganizationPin,
        ),
        (
            127,
            "",
            "env: node: No such file or directory\n",
            Cause::NoClaude,
        ),
        (126, "", "", Cause::NoClaude),
        (0, "", "", Cause::NoResult),
        (1, "Segmentation fault", "", Cause::NoResult),
    ] {
        assert_eq!(
            claude(code, stdout, stderr).finding,
            Finding::Unclear(cause),
            "{stdout}{stderr}"
        );
    }
}

#[test]
fn no_part_of_the_token_is_quoted() {
    let token = token();
    let whole = token.expose().to_owned();
    for line in [
        format!("Invalid header value: Bearer {whole}"),
        format!("…{}…", &whole[60..70]),
        "sk-ant-api03-other".to_owned(),
    ] {
        let said = claude(1, &line, "").said.unwrap();
        assert_eq!(said, "(a line with a part of the token in it)");
    }
    let long = "x".repeat(500);
    let said = claude(1, &long, "").said.unwrap();
    assert_eq!(said.chars().count(), QUOTED + 1);
}

#[test]
fn a_command_is_judged_by_code_and_text() {
    let command = |code, stdout: &str, stderr: &str| {
        let output = Output {
            code: Some(code),
            stdout,
            stderr,
        };
        Answer::of_command(output, &token()).finding
    };
    assert_eq!(
        command(0, "API Error: 401 Invalid bearer token", ""),
        Finding::Works
    );
    assert_eq!(
        command(1, "", "API Error: 401 Invalid bearer token\n"),
        Finding::Refused(Cause::UnknownToken)
    );
    assert_eq!(command(3, "", "odd"), Finding::Unclear(Cause::Other));
}
