import { falseProofs, type LoadtestCase } from './coverage/loadtest.ts';
const R = Number(process.argv[2] ?? 1000);
const grid: LoadtestCase[] = [];
for (const [missShare, sessions, samples, lengths] of [[.05,20,50,0],[.05,20,200,0],[.05,20,100,.8],[.05,20,100,1.2],[.05,50,100,1.2],[.01,20,200,0],[.01,50,200,0],[.01,50,200,.8],[.05,200,50,0],[.05,200,50,1.2],[.5,20,100,0]] as const)
for (const alike of [0,.1,.3,.5,.7,.9]) grid.push({kind:'quantile',missShare,sessions,samples,alike,lengths});
for (const [missShare, sessions, samples, lengths,alike] of [[.01,20,200,0,1],[.01,50,200,0,1],[.01,200,200,0,1],[.01,20,200,1.2,1],[.01,50,200,1.2,1],[.01,200,200,1.2,1],[.05,20,100,0,1],[.05,20,100,.8,1],[.05,50,100,1.2,1],[.01,20,200,0,2],[.01,50,200,0,2],[.01,20,200,0,0]] as const)
 grid.push({kind:'share',missShare,sessions,samples,alike,lengths});
for (const one of grid) console.log(JSON.stringify(one), falseProofs(one, R, 7));
