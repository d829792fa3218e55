//! The control: the same request with a token that cannot work shows whether the responses depend
//! on the token.

use super::answer::{Answer, Finding};
use super::cause::Cause;
use crate::secret::Secret;

/// Characters after the prefix of every token so far.
const BODY: usize = 95;

/// Returns the finding about a token, given the response for one that cannot work.
pub(super) fn judged(answer: &Answer, control: Option<&Answer>) -> Finding {
    let Some(control) = control else {
        return match answer.finding {
            Finding::Works => Finding::Unclear(Cause::Other),
            finding => finding,
        };
    };
    match (answer.finding, control.finding) {
        // A token that was never minted can neither work nor expire, so another one was judged.
        (
            Finding::Works | Finding::Refused(_),
            Finding::Works | Finding::Refused(Cause::Expired | Cause::Revoked | Cause::WrongScope),
        ) => Finding::Unclear(Cause::OtherCredential),
        (Finding::Works, Finding::Unclear(cause)) => Finding::Unclear(cause),
        // Claude Code prints the title of a web page as if it were the API's text, and a title can
        // say anything.
        (Finding::Refused(_), _) if control.has_error_type && !answer.has_error_type => {
            Finding::Unclear(Cause::Proxy)
        }
        (finding, _) => finding,
    }
}

/// Returns a token that was never minted.
pub(super) fn made_up() -> Secret {
    let body: String = "not-a-token-".chars().cycle().take(BODY).collect();
    Secret::new(format!("sk-ant-oat01-{body}"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::provider::operations::Operations;

    #[test]
    fn a_token_works_only_where_a_made_up_one_does_not() {
        let judged =
            |finding, control| judged(&Answer::silent(finding), Some(&Answer::silent(control)));
        let refused = Finding::Refused(Cause::UnknownToken);
        let gone = Finding::Refused(Cause::Revoked);
        let other = Finding::Unclear(Cause::OtherCredential);
        let offline = Finding::Unclear(Cause::Network);
        assert_eq!(judged(Finding::Works, refused), Finding::Works);
        for control in [Finding::Works, Finding::Refused(Cause::Expired), gone] {
            assert_eq!(judged(Finding::Works, control), other);
            assert_eq!(judged(gone, control), other);
        }
        assert_eq!(judged(Finding::Works, offline), offline);
        assert_eq!(judged(gone, offline), gone);
        assert_eq!(judged(offline, refused), offline);
    }

    #[test]
    fn a_refusal_without_a_type_is_a_pages_where_the_api_gives_types() {
        let refused = |has_error_type| Answer {
            has_error_type,
            ..Answer::silent(Finding::Refused(Cause::UnknownToken))
        };
        let page = Finding::Unclear(Cause::Proxy);
        assert_eq!(judged(&refused(false), Some(&refused(true))), page);
        for (typed, control) in [(true, true), (true, false), (false, false)] {
            let answer = refused(typed);
            assert_eq!(judged(&answer, Some(&refused(control))), answer.finding);
        }
    }

    #[test]
    fn the_made_up_token_looks_like_one() {
        assert!(Operations::check_token(&made_up()).is_ok());
    }
}
