//! Import: an instance that exists gets a state.

use async_trait::async_trait;

use super::Resource;
use super::coding::encode_private;
use crate::protocol::generated::tfplugin6::import_resource_state as wire;
use crate::sdk::check;
use crate::sdk::coding::{Outcome, model};
use crate::sdk::context::Context;
use crate::sdk::failure::{Diagnostics, Failure};
use crate::sdk::typed::Typed;

/// A resource type whose instances can be imported.
#[async_trait]
pub trait ImportState: Resource {
    /// Finds an existing object. The host reads it next, and must get the same identity.
    async fn import(
        &self,
        context: &Context<Self::Configured>,
        request: ImportRequest<Self>,
    ) -> Result<Imported<Self>, Failure>;
}

/// How the user identifies the object to import.
#[derive(Debug)]
pub enum ImportRequest<R: Resource + ?Sized> {
    /// By the text of an `id`.
    Id(String),
    /// By an `identity` object, in which omitted optional attributes are null.
    Identity(R::Identity),
}

/// The response to an import.
#[derive(Debug)]
pub struct Imported<R: Resource + ?Sized> {
    /// The attributes that identify the object, and any others that are already known.
    pub state: R::Model,
    /// The private data to store with it.
    pub private: R::Private,
    /// Warnings.
    pub diagnostics: Diagnostics,
}

impl<R: ImportState> Typed<R> {
    pub(super) async fn import_state(
        &self,
        context: &Context<R::Configured>,
        request: wire::Request,
    ) -> Outcome<(wire::Response, Diagnostics)> {
        let by = match Self::decode_identity(request.identity.as_ref())? {
            Some(identity) => ImportRequest::Identity(model("the identity", identity)?),
            None => ImportRequest::Id(request.id),
        };
        let imported = self
            .inner
            .import(context, by)
            .await
            .map_err(|failure| failure.diagnostics)?;
        let (state, identity) = self.record("import", None, imported.state, |state| {
            check::recorded(self.attributes(), state)
        })?;
        let answer = wire::Response {
            imported_resources: vec![wire::ImportedResource {
                type_name: R::TYPE_NAME.to_owned(),
                state: Some(state),
                private: encode_private::<R>(&imported.private),
                identity: Some(identity),
            }],
            ..Default::default()
        };
        Ok((answer, imported.diagnostics))
    }
}
