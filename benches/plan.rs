//! Plans and applies through the real Terraform, and what each process of a plan costs.

use tokio::runtime::Runtime;

use crate::Effort;
use crate::observer::{Observed, Observer};
use crate::programs::Programs;
use crate::report::{Figure, Report};
use crate::stack::{Stack, fill};
use crate::statistics::{Unit, Values};
use crate::support::openbao::OpenBao;

const SPARES: usize = 100;
/// Number of tokens that limits are set for.
const LARGE: usize = 1000;
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
    shares(report, programs, runtime, measured.max().unwrap_or(LARGE));
}

/// What plans of one size took.
struct Plans {
    tokens: Values,
    instant: Values,
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
    report.add(figure.against("provider that answers at once", plans_instant.clone()));
    let name = format!("apply of {count} tokens that are stamped");
    let figure = Figure::new("plan", &name, created.clone());
    report.add(figure.against("terraform_data", created_data));
    let figure = Figure::new("plan", &name, created);
    report.add(figure.against("provider that answers at once", created_instant));
    let name = format!("apply of {count} tokens that stamps them");
    report.add(Figure::new("plan", name, first));
    Plans {
        tokens: plans,
        instant: plans_instant,
    }
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

/// Compares the time for one more token between a small and a large stack; 1 is linear.
fn growth(report: &mut Report, plans: &[(usize, Plans)]) {
    let [(few, base), .., (many, large)] = plans else {
        return;
    };
    let medium = plans
        .iter()
        .find(|(count, _)| *count > *few && *count < *many)
        .map_or((*few, base), |(count, plans)| (*count, plans));
    let each = |(from, small): (usize, &Plans), (to, large): (usize, &Plans)| {
        let ours = |plans: &Plans| plans.tokens.median() - plans.instant.median();
        (ours(large) - ours(small)) / (to - from) as f64
    };
    let largest = plans
        .iter()
        .rfind(|(count, _)| *count <= LARGE)
        .map_or((*many, large), |(count, plans)| (*count, plans));
    if largest.0 > medium.0 {
        let time = Values::one(Unit::Seconds, each(medium, largest));
        let name = format!(
            "our share of a plan for each token more, {} to {}",
            medium.0, largest.0
        );
        report.add(Figure::new("plan", name, time));
    }
    if *many > largest.0 {
        let time = Values::one(Unit::Seconds, each(largest, (*many, large)));
        let name = format!(
            "our share of a plan for each token more, {} to {many}",
            largest.0
        );
        report.add(Figure::new("plan", name, time));
    }
}

/// Looks at the processes of one plan, before a server that takes note of requests.
fn shares(report: &mut Report, programs: &Programs, runtime: &Runtime, count: usize) {
    if !cfg!(target_os = "linux") {
        println!("processor time and memory of each process are read from /proc: left out here");
        return;
    }
    let bao = runtime.block_on(OpenBao::start());
    runtime.block_on(fill(&bao, count));
    let tokens = Stack::tokens(programs, &bao, count);
    tokens.create();
    let before = bao.requests().len();
    let observed = Observer::watch(|| tokens.plan());
    let asked = bao.requests().split_off(before);
    let requests = asked
        .iter()
        .filter(|request| !request.path.starts_with("auth/token/"))
        .count();
    let data = Stack::terraform_data(programs, count);
    data.create();
    let beside = Observer::watch(|| data.plan());

    let name = format!("requests to Vault in a plan of {count}");
    let figure = Figure::new("share", name, Values::one(Unit::Count, requests as f64));
    report.add(figure.below(count as f64));
    let Observed {
        provider_peak,
        provider_time,
        terraform_time,
        server_time,
        processes,
    } = observed;
    let name = format!("peak memory of the provider in a plan of {count}");
    let peak = Values::one(Unit::Bytes, provider_peak);
    report.add(Figure::new("share", name, peak).below(MEMORY_REACH));
    let of = |name: &str, seconds: f64| {
        let name = format!("processor time of {name} in a plan of {count}");
        Figure::new("share", name, Values::one(Unit::Seconds, seconds))
    };
    report.add(of(
        &format!("the provider ({processes} processes)"),
        provider_time,
    ));
    report.add(of("Terraform", terraform_time).against(
        "terraform_data",
        Values::one(Unit::Seconds, beside.terraform_time),
    ));
    report.add(of("OpenBao", server_time));
}
