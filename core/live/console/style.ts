// The console's looks, for both colour schemes and for screens from a phone to a wall.

export const consoleStyle = `
:root{color-scheme:light dark;--page:#fff;--ground:#f4f5f3;--ink:#17202a;--ink-soft:#505b66;--ink-faint:#6d7780;--rule:#dfe2e5;--grid:#eceef0;--accent:#0b5c8f;--good:#00735a;--bad:#b34700;--bad-wash:#fdf0e7;--good-wash:#e6f4f0;
--starting:#8a949e;--starting-wash:#e8ebee;--ready:#3a7ca5;--ready-wash:#dcebf5;--busy:#0b5c8f;--busy-wash:#cfe3f1;--draining:#b07d00;--draining-wash:#f8ecc9;--suspect:#d55e00;--suspect-wash:#fbdfc9;--dead:#8d8f92;--dead-wash:#d5d7d9}
@media(prefers-color-scheme:dark){:root{--page:#171c22;--ground:#0f1317;--ink:#e8ecef;--ink-soft:#aeb8c1;--ink-faint:#8c97a1;--rule:#2d353e;--grid:#242b33;--accent:#78b9e8;--good:#4fd0a8;--bad:#ff9a5c;--bad-wash:#37210f;--good-wash:#12302a;
--starting:#7d8894;--starting-wash:#2a3038;--ready:#5b9fca;--ready-wash:#1c2f3d;--busy:#78b9e8;--busy-wash:#1d3a4f;--draining:#e0b23e;--draining-wash:#3a3013;--suspect:#ff8a4c;--suspect-wash:#46260f;--dead:#5d656d;--dead-wash:#262b30}}
*{box-sizing:border-box}
[hidden]{display:none!important}
body{margin:0;background:var(--ground);color:var(--ink);font:14px/1.5 system-ui,-apple-system,"Segoe UI",Roboto,"Helvetica Neue",Arial,sans-serif}
h1,h2,h3,p,dl,dd,ul,ol{margin:0;padding:0}
ul,ol{list-style:none}
h1{font-size:22px;letter-spacing:-.01em}section>h1{margin-bottom:10px}h2{font-size:15px;font-weight:650}h3{font-size:13px;font-weight:650;margin:18px 0 6px}
code{font:12.5px ui-monospace,SFMono-Regular,Menlo,Consolas,"DejaVu Sans Mono",monospace;overflow-wrap:anywhere}
small{font-size:12px;color:var(--ink-faint);font-weight:400}
button,input,select{font:inherit;color:inherit}
button{cursor:pointer}
:focus-visible{outline:2px solid var(--accent);outline-offset:2px;border-radius:4px}
.hidden{position:absolute;width:1px;height:1px;overflow:hidden;clip-path:inset(50%);white-space:nowrap}
.quiet{color:var(--ink-faint);font-size:13px}
header{position:sticky;top:0;z-index:5;display:flex;flex-wrap:wrap;align-items:center;gap:6px 24px;padding:0 24px;background:var(--page);border-bottom:1px solid var(--rule);min-height:52px}
.brand{font-weight:700;font-size:16px;letter-spacing:-.01em;color:inherit;text-decoration:none}
nav{display:flex;gap:4px}
nav a{padding:15px 10px 12px;color:var(--ink-soft);text-decoration:none;border-bottom:3px solid transparent}
nav a:hover{color:var(--ink)}nav a[aria-current]{color:var(--ink);border-color:var(--accent);font-weight:600}
.policy{margin-left:auto;color:var(--ink-soft);font-size:13px}
.light{display:inline-flex;align-items:center;gap:7px;font-size:13px;color:var(--bad)}
.light::before{content:"";width:9px;height:9px;border-radius:50%;background:currentColor}
.light.on{color:var(--good)}
main{padding:20px 24px 48px;max-width:1680px;margin:0 auto}
.banner{background:var(--bad-wash);color:var(--bad);padding:10px 24px;font-weight:600}
.problem{border-left:4px solid var(--bad);background:var(--bad-wash);padding:10px 16px;border-radius:0 6px 6px 0;margin:10px 0;overflow-wrap:anywhere}
#problem .problem{margin:12px 24px}
.done{border-left:4px solid var(--good);background:var(--good-wash);padding:8px 16px;border-radius:0 6px 6px 0;margin:10px 0}
article{background:var(--page);border:1px solid var(--rule);border-radius:10px;padding:14px 16px;margin-bottom:16px;min-width:0}
.figures{display:grid;grid-template-columns:repeat(auto-fit,minmax(150px,1fr));gap:1px;background:var(--rule);border:1px solid var(--rule);border-radius:10px;overflow:hidden;margin-bottom:16px}
.figures div{background:var(--page);padding:12px 16px}
.figures dt{font-size:12.5px;color:var(--ink-soft)}
.figures dd{font-size:24px;font-weight:650;letter-spacing:-.015em;line-height:1.3;font-variant-numeric:tabular-nums;white-space:nowrap}
.figures small{display:block;letter-spacing:0;line-height:1.4;white-space:normal}
.columns{display:grid;grid-template-columns:minmax(0,1fr) minmax(320px,440px);gap:16px;align-items:start}
.pair{display:grid;grid-template-columns:repeat(2,minmax(0,1fr));gap:16px}
.head{display:flex;flex-wrap:wrap;align-items:center;gap:6px 14px;margin-bottom:10px}
.head h1,.head h2{margin-right:auto}
.tools label{display:inline-flex;align-items:center;gap:8px;color:var(--ink-soft);font-size:13px}
.legend{display:flex;flex-wrap:wrap;gap:2px 14px;font-size:12.5px;color:var(--ink-soft);font-variant-numeric:tabular-nums}
.legend .none{color:var(--ink-faint)}
.dot{display:inline-block;width:10px;height:10px;border-radius:3px;margin-right:6px}
.is-starting.dot{background:var(--starting)}.is-ready.dot{background:var(--ready)}.is-busy.dot{background:var(--busy)}.is-draining.dot{background:var(--draining)}.is-suspect.dot{background:var(--suspect)}.is-dead.dot{background:var(--dead)}
.map{max-height:420px;overflow:auto}
.map canvas{display:block;cursor:pointer}
#fleet-hint{margin-top:8px;min-height:1.5em}
.chart{height:220px;margin-top:6px}
select,input{background:var(--page);border:1px solid var(--rule);border-radius:6px;padding:4px 8px;min-width:0}
input[type=checkbox]{accent-color:var(--accent)}
.plain{background:none;border:1px solid var(--rule);border-radius:6px;padding:4px 12px}
.plain:hover{border-color:var(--ink-faint)}
.danger{color:var(--bad);border-color:var(--bad)}
.link{background:none;border:0;padding:0 4px 0 0;color:var(--accent);text-decoration:underline;text-decoration-thickness:1px;text-underline-offset:3px;font-variant-numeric:tabular-nums}
.feed.tall{max-height:min(640px,70vh);overflow-y:auto;overflow-x:hidden;margin:6px -8px 0}
.decision{display:grid;grid-template-columns:auto auto 1fr;gap:1px 9px;align-items:baseline;width:100%;text-align:left;background:none;border:0;border-top:1px solid var(--grid);padding:7px 8px;border-radius:0}
.decision:hover{background:var(--ground)}
.decision time,.events time{color:var(--ink-faint);font-size:12.5px;font-variant-numeric:tabular-nums}
.decision .words{grid-column:1/-1;color:var(--ink-soft);font-size:13px;overflow-wrap:anywhere}
.events li{padding:3px 0;font-size:13px;border-top:1px solid var(--grid)}.events time{margin-right:8px}
.events{max-height:260px;overflow:auto}
.badge{display:inline-block;font-size:11.5px;font-weight:600;border-radius:99px;padding:0 9px;line-height:19px;background:var(--starting-wash);color:var(--ink-soft);white-space:nowrap}
.badge.is-placed,.badge.is-ready,.badge.is-running{background:var(--ready-wash);color:var(--accent)}
.badge.is-completed,.badge.is-promoted,.badge.is-pass{background:var(--good-wash);color:var(--good)}
.badge.is-failed,.badge.is-dropped,.badge.is-dead,.badge.is-rejected,.badge.is-rolled-back,.badge.is-fail,.badge.is-suspect,.badge.is-evicts{background:var(--bad-wash);color:var(--bad)}
.badge+.badge{margin-left:6px}
.scroll{overflow-x:auto}
#links-table{margin-top:10px}
table{border-collapse:collapse;width:100%;font-variant-numeric:tabular-nums}
th{text-align:left;font-size:12px;font-weight:600;color:var(--ink-faint);padding:4px 14px 4px 0;white-space:nowrap}
td{border-top:1px solid var(--grid);padding:5px 14px 5px 0;white-space:nowrap}
.drawer{position:fixed;z-index:10;top:0;right:0;bottom:0;width:min(540px,100vw);background:var(--page);border-left:1px solid var(--rule);box-shadow:0 0 40px rgba(0,0,0,.18);padding:16px 22px;display:flex;flex-direction:column}
#drawer-body{overflow:auto;flex:1;padding:4px 4px 24px;margin:0 -4px}
.drawer>.head{flex-wrap:nowrap;align-items:flex-start}
#drawer-title{font-size:19px;overflow-wrap:anywhere}
.why{font-size:15px;margin-bottom:12px}
.facts{display:grid;grid-template-columns:auto 1fr;gap:3px 18px}
.facts dt{color:var(--ink-faint)}.facts dd{font-variant-numeric:tabular-nums}
.bars li{display:grid;grid-template-columns:minmax(90px,34%) 1fr minmax(56px,auto);gap:10px;align-items:center;padding:3px 0;font-size:13px}
.bars .bar{height:12px;background:var(--grid);border-radius:3px;overflow:hidden}
.bars i{display:block;height:100%;background:var(--ready);opacity:.55}
.bars .winner i{background:var(--accent);opacity:1}.bars .winner{font-weight:650}
.bars i.out{background:var(--suspect);opacity:.8}
.bars .number{text-align:right;font-variant-numeric:tabular-nums}
.drawer th,.drawer td{padding-right:10px;font-size:13px}.drawer th{font-size:12px;white-space:normal}
.actions{margin-top:22px}
.group h3{text-transform:capitalize;font-size:15px;margin-top:20px}
.setting{border-top:1px solid var(--grid);padding:8px 0}
.setting-head{display:flex;flex-wrap:wrap;gap:4px 12px;align-items:baseline}
.setting .value{font-weight:650;font-variant-numeric:tabular-nums;border:0;background:none;padding:0}
.setting button.value{color:var(--accent);text-decoration:underline;text-decoration-thickness:1px;text-underline-offset:3px}
.setting p{color:var(--ink-soft);font-size:13px;max-width:90ch}
.change{display:flex;flex-wrap:wrap;gap:8px;margin:8px 0 4px}
.change input[name=why]{flex:1 1 200px}
.change button{background:var(--accent);color:var(--page);border:0;border-radius:6px;padding:5px 14px;font-weight:600}
.history>li{border-top:1px solid var(--grid);padding:10px 0}
.change-head{display:flex;flex-wrap:wrap;gap:2px 12px}.change-head time{margin-left:auto;color:var(--ink-faint);font-size:12.5px}
.history p{color:var(--ink-soft)}
.changes li{display:flex;flex-wrap:wrap;justify-content:space-between;gap:0 12px;padding:2px 0;font-size:13px}
.history .plain{margin-top:6px;font-size:13px}
.preview{background:var(--ground);border-radius:6px;padding:8px 12px;margin-top:8px}
.spaced{margin-top:10px}
.primary{background:var(--accent);color:var(--page);border:0;border-radius:6px;padding:6px 16px;font-weight:600}
.primary.danger{background:var(--bad)}.primary:disabled{opacity:.6}
.why-form{display:grid;gap:10px;margin-top:16px}
.why-form label{display:grid;gap:3px;color:var(--ink-soft);font-size:13px}
.serving{display:flex;gap:10px;align-items:baseline;font-size:18px;margin-bottom:8px}
.rollout{border-top:1px solid var(--grid);padding:14px 0 10px}.rollout:first-child{border-top:0;padding-top:0}
.rollout .head h3{margin:0;font-size:15px}.rollout .head{margin-bottom:6px}.rollout .actions{margin-top:12px}
.actions{display:flex;flex-wrap:wrap;gap:8px}
.stages{display:flex;flex-wrap:wrap;gap:4px;margin:8px 0;font-size:12.5px}
.stages li{flex:1 1 90px;border-top:4px solid var(--grid);padding-top:3px;color:var(--ink-faint);white-space:nowrap}
.stages .is-past{border-color:var(--good);color:var(--ink-soft)}.stages .is-here{border-color:var(--accent);color:var(--ink);font-weight:650}.stages .is-failed{border-color:var(--bad);color:var(--bad);font-weight:650}
.figure{margin:10px 0}
.meter,.intervals li{display:grid;grid-template-columns:170px minmax(60px,1fr) 215px;gap:12px;align-items:center;padding:3px 0;font-size:13px}
.meter .bar{height:8px;background:var(--grid);border-radius:4px;overflow:hidden}.meter i{display:block;height:100%;background:var(--ready)}
.meter .number,.intervals .number{text-align:right;font-variant-numeric:tabular-nums}
.intervals .track{position:relative;height:22px;background:var(--ground);border-radius:4px}
.intervals i{position:absolute;top:0;bottom:0}
.intervals .zero{border-left:1.5px solid var(--ink-faint)}.intervals .bound{border-left:1.5px dashed var(--bad)}
.intervals .around{top:9px;bottom:9px;border-radius:2px;opacity:.35;background:currentColor}
.intervals .range{top:5px;bottom:5px;border-radius:3px;opacity:.55;background:currentColor}
.intervals .point{top:3px;bottom:3px;width:4px;margin-left:-2px;border-radius:2px;background:currentColor}
.intervals .point.is-measured{top:6px;bottom:6px;width:10px;margin-left:-5px;border-radius:50%}
.intervals .is-better .track{color:var(--good)}.intervals .is-worse .track{color:var(--bad)}.intervals .is-unclear .track{color:var(--ready)}
.wrap{display:block;white-space:normal;overflow-wrap:anywhere;min-width:190px}
.rollout .changes{margin:4px 0 8px}.rollout .changes li{justify-content:flex-start}.rollout .scroll{margin-top:10px}#policy-rollouts{margin-top:10px}#policy-serving{margin-top:6px}
@media(max-width:640px){.meter,.intervals li{grid-template-columns:1fr auto}.meter .bar,.intervals .track{grid-row:2;grid-column:1/-1}}
h2.large{font-size:19px;letter-spacing:-.01em}
.advice{display:grid;grid-template-columns:minmax(300px,380px) minmax(0,1fr);grid-template-rows:auto auto 1fr;gap:0 16px;align-items:start}
.advice>aside{grid-row:1}.advice-ask,.advice-ledger{grid-column:1}#recommendation-detail{grid-row:1/span 3;grid-column:2;scroll-margin-top:150px}
#view-recommendations>.quiet{margin:-4px 0 10px}
.advice-list{max-height:520px;overflow-y:auto;margin:-6px -8px}
.advice-item{display:grid;gap:4px;width:100%;text-align:left;background:none;border:0;border-top:1px solid var(--grid);padding:10px 8px;border-radius:0}
.advice-list li:first-child .advice-item{border-top:0}.advice-item:hover{background:var(--ground)}.advice-item[aria-current]{background:var(--ready-wash);border-radius:6px}
.advice-item b,.advice h2{overflow-wrap:anywhere}
progress{width:100%;height:8px;accent-color:var(--accent)}
.badge.is-recommended,.badge.is-applying,.badge.is-measuring,.badge.is-simulating{background:var(--ready-wash);color:var(--accent)}
.badge.is-confirmed,.badge.is-risk-low,.badge.is-as-predicted,.badge.is-better-than-predicted{background:var(--good-wash);color:var(--good)}
.badge.is-reverted,.badge.is-risk-high,.badge.is-worse-than-predicted{background:var(--bad-wash);color:var(--bad)}
.badge.is-risk-medium,.badge.is-awaits-a-person{background:var(--draining-wash);color:var(--ink-soft)}
.reason{margin-top:4px}.actions .quiet{align-self:center}
.intervals small{display:block}.intervals+.facts{margin-top:8px}
#recommendation-detail h3{margin-top:22px}
.command{display:flex;gap:10px;align-items:start;background:var(--ground);border-radius:6px;padding:8px 10px;margin-top:6px}.command code{flex:1;white-space:pre-wrap}
details{margin-top:8px}summary{cursor:pointer;color:var(--ink-soft);font-size:13px}
.plainlist{padding-left:20px;font-size:13px}ol.plainlist{list-style:decimal}ul.plainlist{list-style:disc}
.ledger-entry{border-top:1px solid var(--grid);padding:8px 0}
.advice aside article,.advice-ask,.advice-ledger{overflow-x:auto}
.advice-ledger .meter,.advice-ledger .intervals li{grid-template-columns:1fr auto}.advice-ledger .track{grid-row:2;grid-column:1/-1}
@media(max-width:1000px){.advice{grid-template-columns:minmax(0,1fr);grid-template-rows:none}.advice>*,#recommendation-detail{grid-row:auto;grid-column:1}}
@media(max-width:1000px){.columns{grid-template-columns:minmax(0,1fr)}}
@media(max-width:640px){main{padding:14px 12px 40px}header{padding:8px 12px 0}.pair{grid-template-columns:minmax(0,1fr)}.policy{display:none}nav{order:3;width:100%;overflow-x:auto}nav a{padding:8px}.feed.tall{max-height:360px}}
@media(prefers-reduced-motion:no-preference){.drawer{animation:slide .16s ease-out}}
@keyframes slide{from{transform:translateX(24px);opacity:0}}
`;
