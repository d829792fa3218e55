//! Calls for read-only types: data sources and ephemeral resources.

use tonic::{Response, Status};

use super::{ProviderService, answered, unknown_type};
use crate::protocol::generated::tfplugin6 as wire;
use crate::sdk::erased::{AnyDataSource, AnyEphemeralResource, ErasedLookup};
use crate::sdk::failure::Diagnostics;
use crate::sdk::provider::Provider;

type Answer<T> = Result<Response<T>, Status>;
type Erased<'a, C> = Result<&'a dyn ErasedLookup<C>, Diagnostics>;

impl<P: Provider> ProviderService<P> {
    fn data_source(&self, name: &str) -> Erased<'_, P::Configured> {
        let data_source = self.shared.data_sources.get(name);
        data_source
            .map(AnyDataSource::calls)
            .ok_or_else(|| unknown_type("data source"))
    }

    fn ephemeral_resource(&self, name: &str) -> Erased<'_, P::Configured> {
        let ephemeral = self.shared.ephemeral_resources.get(name);
        ephemeral
            .map(AnyEphemeralResource::calls)
            .ok_or_else(|| unknown_type("ephemeral resource"))
    }

    pub(super) async fn validate_data_source(
        &self,
        request: wire::validate_data_resource_config::Request,
    ) -> Answer<wire::validate_data_resource_config::Response> {
        let name = &request.type_name;
        let call = self.session().call("ValidateDataResourceConfig", name);
        answered(call, Default::default(), async {
            let diagnostics = self.data_source(name)?.validate(request.config.as_ref())?;
            Ok(wire::validate_data_resource_config::Response { diagnostics })
        })
        .await
    }

    pub(super) async fn look_up_data(
        &self,
        request: wire::read_data_source::Request,
    ) -> Answer<wire::read_data_source::Response> {
        let name = &request.type_name;
        let session = self.session();
        let call = session.call("ReadDataSource", name);
        answered(call, Default::default(), async {
            let data_source = self.data_source(name)?;
            let looked = data_source
                .look(
                    session.context(&self.shared.provider)?,
                    request.config.as_ref(),
                )
                .await?;
            Ok(wire::read_data_source::Response {
                state: Some(looked.object),
                diagnostics: looked.diagnostics,
                ..Default::default()
            })
        })
        .await
    }

    pub(super) async fn validate_ephemeral(
        &self,
        request: wire::validate_ephemeral_resource_config::Request,
    ) -> Answer<wire::validate_ephemeral_resource_config::Response> {
        let name = &request.type_name;
        let call = self.session().call("ValidateEphemeralResourceConfig", name);
        answered(call, Default::default(), async {
            let ephemeral = self.ephemeral_resource(name)?;
            let diagnostics = ephemeral.validate(request.config.as_ref())?;
            Ok(wire::validate_ephemeral_resource_config::Response { diagnostics })
        })
        .await
    }

    /// Nothing stays open, so there is nothing to renew and no private data.
    pub(super) async fn open_ephemeral(
        &self,
        request: wire::open_ephemeral_resource::Request,
    ) -> Answer<wire::open_ephemeral_resource::Response> {
        let name = &request.type_name;
        let session = self.session();
        let call = session.call("OpenEphemeralResource", name);
        answered(call, Default::default(), async {
            let ephemeral = self.ephemeral_resource(name)?;
            let looked = ephemeral
                .look(
                    session.context(&self.shared.provider)?,
                    request.config.as_ref(),
                )
                .await?;
            Ok(wire::open_ephemeral_resource::Response {
                result: Some(looked.object),
                diagnostics: looked.diagnostics,
                ..Default::default()
            })
        })
        .await
    }

    /// One host passes to the close whatever a renewal returns.
    pub(super) async fn renew_ephemeral(
        &self,
        request: wire::renew_ephemeral_resource::Request,
    ) -> Answer<wire::renew_ephemeral_resource::Response> {
        let name = &request.type_name;
        let call = self.session().call("RenewEphemeralResource", name);
        let echo = wire::renew_ephemeral_resource::Response {
            private: request.private.clone(),
            ..Default::default()
        };
        answered(call, echo.clone(), async {
            self.ephemeral_resource(name)?;
            Ok(echo)
        })
        .await
    }

    /// Closing has no effect, so closing twice is safe.
    pub(super) async fn close_ephemeral(
        &self,
        request: wire::close_ephemeral_resource::Request,
    ) -> Answer<wire::close_ephemeral_resource::Response> {
        let name = &request.type_name;
        let call = self.session().call("CloseEphemeralResource", name);
        answered(call, Default::default(), async {
            self.ephemeral_resource(name)?;
            Ok(Default::default())
        })
        .await
    }
}
