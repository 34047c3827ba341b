const given = (name: string) => {
  const value = process.env[name]
  return value === undefined || value === '' ? null : Number(value)
}

export const RUNS = given('SIM_RUNS') ?? 200
/** The most steps of a run. */
export const STEPS = given('SIM_STEPS') ?? 120
/** Plays this one run again, and looks for the shortest way to what is wrong. */
export const SEED = given('SIM_SEED')
