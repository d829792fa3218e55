//! The picture in the README of what `status` shows.

use serde_json::json;

use crate::support::openbao::OpenBao;
use crate::support::picture;
use crate::support::secrets::token;

use super::program::{FIELD, Program, in_days};
use super::terminal::status;

const COLUMNS: u16 = 140;

#[tokio::test]
async fn it_shows_what_a_terminal_shows() {
    let bao = OpenBao::start().await;
    let program = Program::at(&bao);
    for (path, age) in [
        ("claude-agent-service", 341),
        ("claude-agent-service-spare-1", 41),
        ("claude-agent-service-spare-2", 1),
    ] {
        bao.put("secret", path, json!({ FIELD: token(path) })).await;
        let minted = format!("--minted-at={}", in_days(-age));
        program
            .run(&["store", "--stamp-only", &minted, path])
            .exits(0);
    }
    let shown = status(&program, COLUMNS, None);
    picture::compare(
        "docs/pictures/status.svg",
        &format!("$ terraform-provider-claude status\n{shown}"),
        COLUMNS.into(),
    );
}
