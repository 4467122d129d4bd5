//! Counts and durations of calls.

use std::time::Duration;

use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::histogram::Histogram;
use prometheus_client::registry::Registry;

/// From a plugin's round trip to the longest deadline.
const BUCKETS: [f64; 8] = [0.0001, 0.001, 0.005, 0.025, 0.1, 0.5, 2.5, 10.0];

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Labels {
    function: String,
    /// 0, or the code of the error.
    code: i32,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct ByFunction {
    function: String,
}

/// What is counted of every call. Cheap to clone.
#[derive(Clone)]
pub struct CallMetrics {
    calls: Family<Labels, Counter>,
    seconds: Family<ByFunction, Histogram, fn() -> Histogram>,
}

impl Default for CallMetrics {
    fn default() -> Self {
        Self {
            calls: Family::default(),
            seconds: Family::new_with_constructor(|| Histogram::new(BUCKETS)),
        }
    }
}

impl CallMetrics {
    pub(super) fn count(&self, function: &str, code: i32, duration: Duration) {
        self.calls
            .get_or_create(&Labels {
                function: function.to_owned(),
                code,
            })
            .inc();
        self.seconds
            .get_or_create(&ByFunction {
                function: function.to_owned(),
            })
            .observe(duration.as_secs_f64());
    }

    /// Puts the figures into a Prometheus registry.
    pub fn register(&self, registry: &mut Registry) {
        registry.register(
            "calls",
            "Calls of functions, by error code; 0 is success",
            self.calls.clone(),
        );
        registry.register("call_seconds", "How long calls took", self.seconds.clone());
    }
}
