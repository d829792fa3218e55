//! Requests and answers as text: what a JSON value in between would change is seen here.

use serde::Deserialize;
use serde_json::value::RawValue;

use crate::support::certificates::trusting_nobody;
use crate::support::openbao::OpenBao;

/// Calls the API as root with a body that is sent as it is, and returns status and body.
pub(super) async fn send(bao: &OpenBao, method: &str, path: &str, body: &str) -> (u16, String) {
    let client = reqwest::Client::builder()
        .no_proxy()
        .tls_certs_only([])
        .tls_backend_preconfigured(trusting_nobody())
        .build()
        .unwrap();
    let answer = client
        .request(
            method.parse().unwrap(),
            format!("{}/v1/{path}", bao.address()),
        )
        .header("X-Vault-Token", OpenBao::ROOT)
        .header("Content-Type", "application/json")
        .body(body.to_owned())
        .send()
        .await
        .unwrap();
    let status = answer.status().as_u16();
    (status, answer.text().await.unwrap())
}

/// Writes a document that is sent as it is.
pub(super) async fn put(bao: &OpenBao, path: &str, document: &str) {
    let body = format!("{{\"data\":{document}}}");
    let (status, answer) = send(bao, "POST", &format!("secret/data/{path}"), &body).await;
    assert_eq!(status, 200, "{answer}");
}

/// Returns the text of a document as the server shows it.
pub(super) async fn document(bao: &OpenBao, path: &str) -> String {
    #[derive(Deserialize)]
    struct Envelope<'a> {
        #[serde(borrow)]
        data: Data<'a>,
    }
    #[derive(Deserialize)]
    struct Data<'a> {
        #[serde(borrow)]
        data: &'a RawValue,
    }
    let (status, answer) = send(bao, "GET", &format!("secret/data/{path}"), "").await;
    assert_eq!(status, 200, "{answer}");
    let envelope: Envelope<'_> = serde_json::from_str(&answer).unwrap();
    envelope.data.data.get().to_owned()
}
