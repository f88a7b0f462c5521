//! What takes podman, the network or other people's programs: pods, the schema of Kubernetes, Prometheus, rsyslog.
//!
//! ```sh
//! cargo test --test pods
//! ```

// What the other test programs need of it, this one may not.
#[allow(dead_code)]
#[path = "../support"]
mod support {
    pub mod admission;
    pub mod bounded;
    pub mod files;
    pub mod markdown;
    pub mod pod;
    pub mod podman;
    pub mod program;
    pub mod records;
    pub mod rotator;
    pub mod say;
    pub mod scrape;
    pub mod validator;
    pub mod venv;
}

mod agents;
mod drop_in;
mod first_pod;
mod image;
mod injected_variables;
mod injection;
mod metrics_examples;
mod platforms;
mod pod;
mod pod_applications;
mod pod_rotate;
mod restricted;
mod schemas;
mod specs;
