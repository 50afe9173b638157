fn main() {
    for path in std::env::args().skip(1) {
        let t = std::time::Instant::now();
        println!("== {path}");
        match unilk_learn::learn::learn(&std::fs::read(&path).unwrap(), &Default::default(), |n, i, c| println!("  {i}/{c} {n}")) {
            Err(e) => println!("{e}"),
            Ok(l) => {
                for r in &l.rejected { println!("  rejected {r:?}"); }
                for d in &l.drivers {
                    println!("{} {:?} {} complete {} ms {} known {:?} fail {:?} pin {:?} resume {}", d.name, d.generation, d.controller, d.complete(), d.milliseconds, d.known, d.failures, d.reset_pin, d.with_resume);
                    println!("  {:?}", d.params);
                    let i = &d.identification;
                    println!("  id {:?} runs {} asked {:?} cut {} fail {:?}", i.method, i.runs, i.asked, i.cut_short, i.failure);
                    for w in &i.ways { println!("    way {:x?}", w.terms); }
                    println!("  reset {:?} notes {:?} steps {}", d.init.reset, d.init.notes, d.init.steps.len());
                    for l in d.init.lines().lines().take(4) { println!("    {l}"); }
                    println!("  down {:?} {:?}", d.power_down.lines(), d.power_down.notes);
                }
            }
        }
        println!("took {:?}", t.elapsed());
    }
}
