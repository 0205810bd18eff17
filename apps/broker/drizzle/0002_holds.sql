CREATE UNLOGGED TABLE "rate_bucket" (
	"key" text PRIMARY KEY NOT NULL,
	"tokens" double precision NOT NULL,
	"granted" integer NOT NULL,
	"filled_at" timestamp with time zone NOT NULL
);
--> statement-breakpoint
CREATE INDEX "agent_freeze_approver" ON "agent_freeze" USING btree ("approver");--> statement-breakpoint
CREATE INDEX "pairing_approver" ON "pairing" USING btree ("approver");