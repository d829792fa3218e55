//! Doors for fuzz targets to what reads answers; no other build has them.

use std::fmt::Write as _;

use zeroize::Zeroizing;

use super::answer::{Answer, Question, Verdict};
use super::document::{self, Document, Reading};
use super::error::{TokenOrigin, TokenSource};
use super::new_document::NewDocument;
use super::text::Censor;
use super::{metadata, mount, write};
use crate::secret::Secret;

/// Judges an answer as that to a read, and returns every text that could be told of it.
pub fn judge(status: u16, content_type: &str, body: &[u8], credential: &str) -> String {
    let answer = Answer {
        status,
        content_type: content_type.to_owned(),
        body: Zeroizing::new(body.to_vec()),
    };
    let censor = Censor::default();
    censor.hide(&Secret::new(credential));
    let question = Question {
        address: "https://vault.example.com",
        api_path: "secret/data/agent",
        capability: "read",
        token: TokenSource::Given(TokenOrigin::File),
    };
    let _ = answer.refuses_before_writing();
    let mut told = String::new();
    if let Verdict::Failed(error) | Verdict::Retry(error) = answer.judge(question, &censor) {
        let _ = write!(told, "{error} {error:?}");
    }
    told
}

/// Reads a body as each of the small answers.
pub fn read_everything(body: &[u8]) {
    let _ = metadata::parse(body);
    let _ = mount::parse(body);
    let _ = write::parse(body);
}

/// Reads a body as a document, that of a 200 or of a 404; the error is what would be told.
pub fn document(body: &[u8], found: bool) -> Result<Option<Reading>, String> {
    document::parse(body, found).map_err(|odd| format!("{odd:?}"))
}

/// Returns names and JSON texts of all fields.
pub fn raw_fields(document: &Document) -> Vec<(String, String)> {
    let fields = document.raw_fields();
    fields
        .map(|(name, json)| (name.to_owned(), json.expose().to_owned()))
        .collect()
}

/// Returns the text that a write would send.
pub fn json(document: &NewDocument) -> String {
    String::from_utf8_lossy(document.expose()).into_owned()
}
