//! Plans and applies through the real Terraform, and what each process of a plan costs.

use tokio::runtime::Runtime;

use crate::Effort;
use crate::observer::Observer;
use crate::programs::Programs;
use crate::report::{Figure, Report};
use crate::stack::{Stack, fill};
use crate::statistics::{Unit, Values};
use crate::support::openbao::OpenBao;

const SPARES: usize = 100;
/// Number of tokens that limits are set for.
const LARGE: usize = 1000;
/// Number of tokens below which a process does too little for the clock of the system.
const SMALLEST: usize = 100;
const RATIO_REACH: f64 = 1.5;
const MEMORY_REACH: f64 = 24.0 * 1024.0 * 1024.0;

/// Measures stacks of these sizes, or else of growing ones.
pub(crate) fn measure(
    report: &mut Report,
    programs: &Programs,
    runtime: &Runtime,
    effort: Effort,
    counts: &[usize],
) {
    let counts = match effort {
        _ if !counts.is_empty() => counts,
        Effort::Quick => &[10, 100],
        Effort::Full => &[10, 100, LARGE, 3000],
    };
    let bao = runtime.block_on(OpenBao::start_unaudited());
    runtime.block_on(fill(&bao, counts.iter().copied().fold(SPARES, usize::max)));
    let mut ours = Vec::new();
    for count in counts {
        let repeats = match (effort, count) {
            (Effort::Quick, _) => 2,
            (_, ..=100) => 9,
            (_, ..=LARGE) => 5,
            _ => 2,
        };
        ours.push((*count, stacks(report, programs, &bao, *count, repeats)));
    }
    pool(report, programs, &bao, effort.pick(2, 9));
    growth(report, &ours);
    drop(bao);
    let measured = counts.iter().copied().filter(|count| *count <= LARGE);
    requests(report, programs, runtime, measured.max().unwrap_or(LARGE));
}

/// What plans of one size took.
struct Plans {
    tokens: Values,
    instant: Values,
    /// Processor time of our process, where the system tells it.
    provider: Option<Values>,
}

fn stacks(
    report: &mut Report,
    programs: &Programs,
    bao: &OpenBao,
    count: usize,
    repeats: usize,
) -> Plans {
    let tokens = Stack::tokens(programs, bao, count);
    let data = Stack::terraform_data(programs, count);
    let instant = Stack::instant(programs, count);
    let seconds = || Values::new(Unit::Seconds);
    let (mut created, mut created_data, mut created_instant) = (seconds(), seconds(), seconds());
    // The first apply also stamps each secret, which no later one does.
    let first = Values::one(Unit::Seconds, tokens.create().as_secs_f64());
    for _ in 0..repeats.div_ceil(3) {
        created_data.push_time(data.create());
        created.push_time(tokens.create());
        created_instant.push_time(instant.create());
    }
    let (mut plans, mut plans_data, mut plans_instant) = (seconds(), seconds(), seconds());
    for _ in 0..repeats {
        plans_data.push_time(data.plan());
        plans.push_time(tokens.plan());
        plans_instant.push_time(instant.plan());
    }
    let name = format!("plan of {count} tokens");
    let figure = Figure::new("plan", &name, plans.clone()).against("terraform_data", plans_data);
    report.add(if count == LARGE {
        figure.ratio_below(RATIO_REACH)
    } else {
        figure
    });
    let figure = Figure::new("plan", &name, plans.clone());
    report.add(figure.against("provider without Vault", plans_instant.clone()));
    if count == LARGE {
        floor(report, programs, &data, count, repeats);
    }
    let name = format!("apply of {count} stamped tokens");
    let figure = Figure::new("plan", &name, created.clone());
    report.add(figure.against("terraform_data", created_data));
    let figure = Figure::new("plan", &name, created);
    report.add(figure.against("provider without Vault", created_instant));
    let name = format!("apply of {count} tokens that also stamps them");
    report.add(Figure::new("plan", name, first));
    let provider = if !cfg!(target_os = "linux") {
        println!("processor time and memory of each process are read from /proc: left out here");
        None
    } else if count < SMALLEST {
        None
    } else {
        Some(shares(report, &tokens, &data, count, repeats.div_ceil(2)))
    };
    Plans {
        tokens: plans,
        instant: plans_instant,
        provider,
    }
}

/// Plans the smallest resources that a provider can have: no provider is faster.
fn floor(report: &mut Report, programs: &Programs, data: &Stack, count: usize, repeats: usize) {
    let bare = Stack::bare(programs, count);
    bare.create();
    let (mut plans, mut plans_data) = (Values::new(Unit::Seconds), Values::new(Unit::Seconds));
    for _ in 0..repeats {
        plans_data.push_time(data.plan());
        plans.push_time(bare.plan());
    }
    let name =
        format!("other provider: plan of {count} resources with one attribute, without Vault");
    report.add(Figure::new("plan", name, plans).against("terraform_data", plans_data));
}

fn pool(report: &mut Report, programs: &Programs, bao: &OpenBao, repeats: usize) {
    let pool = Stack::pool(programs, bao, SPARES);
    let data = Stack::terraform_data(programs, 1);
    data.create();
    let created = Values::one(Unit::Seconds, pool.create().as_secs_f64());
    let (mut plans, mut plans_data) = (Values::new(Unit::Seconds), Values::new(Unit::Seconds));
    for _ in 0..repeats {
        plans_data.push_time(data.plan());
        plans.push_time(pool.plan());
    }
    let name = format!("plan of one pool of {SPARES}");
    report.add(Figure::new("plan", name, plans).against("one terraform_data", plans_data));
    let name = format!("apply of one pool of {SPARES}");
    report.add(Figure::new("plan", name, created));
}

/// Divides what a larger stack takes more by the tokens that it has more: where each is as dear as the
/// one before, the quotients are equal.
fn growth(report: &mut Report, plans: &[(usize, Plans)]) {
    let counted = plans.iter().filter(|(count, _)| *count >= SMALLEST);
    let counted: Vec<_> = counted.collect();
    for pair in counted.windows(2) {
        let [(few, small), (many, large)] = pair else {
            continue;
        };
        let each = |measure: fn(&Plans) -> f64| {
            let more = measure(large) - measure(small);
            Values::one(Unit::Seconds, more / (many - few) as f64)
        };
        let name = |what: &str| format!("{what} for each additional token, {few} to {many}");
        let clock = each(|plans| plans.tokens.median() - plans.instant.median());
        report.add(Figure::new("growth", name("our share of a plan"), clock));
        if large.provider.is_some() {
            let processor = each(|plans| plans.provider.as_ref().map_or(f64::NAN, Values::median));
            let name = name("processor time of the provider");
            report.add(Figure::new("growth", name, processor));
        }
    }
}

/// Watches the processes of plans; returns the processor time of the provider.
fn shares(
    report: &mut Report,
    tokens: &Stack,
    data: &Stack,
    count: usize,
    repeats: usize,
) -> Values {
    let seconds = || Values::new(Unit::Seconds);
    let (mut provider, mut terraform, mut server) = (seconds(), seconds(), seconds());
    let (mut beside, mut peak) = (seconds(), Values::new(Unit::Bytes));
    for _ in 0..repeats {
        let observed = Observer::watch(|| tokens.plan());
        provider.push(observed.provider_time);
        terraform.push(observed.terraform_time);
        server.push(observed.server_time);
        peak.push(observed.provider_peak);
        beside.push(Observer::watch(|| data.plan()).terraform_time);
    }
    let figure = Figure::new(
        "share",
        format!("peak memory of the provider in a plan of {count}"),
        peak,
    );
    report.add(if count == LARGE {
        figure.below(MEMORY_REACH)
    } else {
        figure
    });
    let of = |name: &str, values: Values| {
        let name = format!("processor time of {name} in a plan of {count}");
        Figure::new("share", name, values)
    };
    report.add(of("the provider", provider.clone()));
    report.add(of("Terraform", terraform).against("terraform_data", beside));
    report.add(of("OpenBao", server));
    provider
}

/// Counts what a plan asks of a server that takes note of requests.
fn requests(report: &mut Report, programs: &Programs, runtime: &Runtime, count: usize) {
    let bao = runtime.block_on(OpenBao::start());
    runtime.block_on(fill(&bao, count));
    let tokens = Stack::tokens(programs, &bao, count);
    tokens.create();
    let before = bao.requests().len();
    tokens.plan();
    let asked = bao.requests().split_off(before);
    let of_tokens = asked
        .iter()
        .filter(|request| !request.path.starts_with("auth/token/"));
    let asked = Values::one(Unit::Count, of_tokens.count() as f64);
    let name = format!("requests to Vault in a plan of {count}");
    report.add(Figure::new("share", name, asked).below(count as f64));
}
